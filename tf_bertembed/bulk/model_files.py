"""Where an exported model lies, and what its signature says, before anything is loaded."""

import os

from google.protobuf.message import DecodeError

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export.protos import message_class
from tf_bertembed.export.signature_checks import signature_facts, takes_strings
from tf_bertembed.export.versions import GRAPH, folder_names, newest_version, remote_files

SERVE, EMBED, TEXT, OUTPUT = "serve", "embed", "text", "embedding"


def find_model(path):
    """Find the newest version of an exported model.

    On any file system that TensorFlow knows, see `newest_version`.

    Args:
        path: string or `pathlib.Path`. `NAME/VERSION`, or `NAME` for its
            highest complete version.

    Returns:
        A pair: the folder of the version (string), and the numbers in a vector
        (int).

    Raises:
        MissingFileError: where no folder stands at the path.
        FileFormatError: where it holds no exported model.
        BertEmbedError: where the model has no signature `embed` from `text` to
            `embedding`.
    """
    found = newest_version(path)
    if found is not None:
        return found, _dimensions(found)
    if folder_names(str(path)) is None:
        raise MissingFileError(path, "It should be the folder of an exported model.")
    raise FileFormatError(
        path, f"The folder holds no {GRAPH}. Export a model with `tf-bertembed export`."
    )


def _read(path):
    with remote_files().GFile(path, "rb") if "://" in path else open(path, "rb") as file:
        return file.read()


def _dimensions(folder):
    place = os.path.join(folder, GRAPH)
    try:
        graphs = message_class("SavedModel").FromString(_read(place)).meta_graphs
    except DecodeError as error:
        raise FileFormatError(place, "It is damaged: it is no SavedModel.") from error
    signatures = {}
    for graph in graphs:
        if SERVE in graph.meta_info_def.tags:
            signatures = signature_facts(graph)
    embed = signatures.get(EMBED)
    if embed is None:
        problem = f"there is none. Received: {', '.join(signatures) or 'no signature at all'}"
    elif list(embed["inputs"]) != [TEXT] or not takes_strings(embed):
        problem = f"it takes {', '.join(embed['inputs'])}"
    else:
        shape = embed["outputs"].get(OUTPUT, {}).get("shape")
        if shape and len(shape) == 2 and shape[1]:
            return shape[1]
        problem = f"it answers {', '.join(embed['outputs'])} of the shape {shape}"
    raise BertEmbedError(
        f"{folder} needs a signature `{EMBED}` from strings `{TEXT}` to `{OUTPUT}`, [B, D]: "
        f"{problem}. Export the model with `tf-bertembed export`."
    )
