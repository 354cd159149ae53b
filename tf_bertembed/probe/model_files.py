"""Which files a model is made of, and one number that tells models apart."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from tf_bertembed import __version__
from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.export.versions import GRAPH, newest_version
from tf_bertembed.models.names import find_checkpoint

# What no loader of this package opens, and what may be larger than the model itself.
UNREAD = {".bin", ".csv", ".html", ".md", ".msgpack", ".onnx", ".ot", ".png", ".pt", ".pth"}


def model_folder(path):
    """Find the folder that a model is read from.

    Args:
        path: string or `pathlib.Path`. An exported model, a checkpoint folder
            or a name.

    Returns:
        A `pathlib.Path`.

    Raises:
        MissingFileError: where nothing stands at the path.
        MissingPackageError: where the name's package is not installed.
        BertEmbedError: where the path is no folder.
    """
    exported = newest_version(path)
    return find_checkpoint(path) if exported is None else Path(exported)


def fingerprint(folder, settings):
    """Make a number that is another one for each model and for each of its settings.

    Of the content of the files, wherever they stand and whenever they were
    written: a model that was copied or moved keeps its number.

    Args:
        folder: `pathlib.Path`. What `model_folder` gave.
        settings: what JSON can hold. Whatever else the vectors depend on.

    Returns:
        A string of 64 hexadecimal digits.

    Raises:
        MissingFileError: where a link in the folder leads nowhere.
        BertEmbedError: where a file cannot be read, or there is none.
    """
    return _number({**_content(folder), "settings": settings, "tf_bertembed": __version__})


def content_digest(folder):
    """Make a number that is another one for each model, whichever version of this package asks.

    Args:
        folder: `pathlib.Path`. What `model_folder` gave.

    Returns:
        A string of 64 hexadecimal digits.

    Raises:
        MissingFileError, BertEmbedError: as `fingerprint` does.
    """
    return _number(_content(folder))


def _content(folder):
    names = sorted(_files(folder))
    if not names:
        raise BertEmbedError(f"{folder} holds no file; a model was expected there.")
    parts = {"files": {name: _digest(folder / name) for name in names}}
    if not {"config.json", GRAPH} & set(names):
        # Whether the tokenizer of Google's folders lower-cases is told by the folder's name.
        parts["name"] = folder.resolve().name
    return parts


def _number(parts):
    written = json.dumps(parts, sort_keys=True, default=_plain)
    return hashlib.sha256(written.encode()).hexdigest()


def _plain(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    # A function, say, has no number that another process would find again.
    raise BertEmbedError(f"A cache cannot tell this setting from others. Received: {value!r}.")


def _files(folder):
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        # A link to a folder above would lead round for ever.
        folders[:] = [] if real in seen else sorted(n for n in folders if n[0] != ".")
        if real in seen:
            continue
        seen.add(real)
        for name in names:
            if name[0] != "." and Path(name).suffix not in UNREAD:
                yield (Path(place) / name).relative_to(folder).as_posix()


def _digest(path):
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise MissingFileError(path, "It is listed among the files of a model.") from error
    except OSError as error:
        raise BertEmbedError(f"{path} cannot be read: {error.strerror}.") from error
