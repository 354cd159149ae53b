"""What an exported model answered in memory, kept beside it as JSON."""

import base64
import json
from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

# TensorFlow leaves the folder assets.extra to whoever exports.
RECORD = Path("assets.extra") / "tf_bertembed.json"
FORMAT = 2
# Of format 1 all inputs were strings.
READABLE = (1, 2)
BYTES = "b64"

# English, Chinese, accents, emoji, another script, nothing, and more than fits.
DEFAULT_EXAMPLES = (
    "The film is a delight from its first minute to its last.",
    "The company's shares fell by 3.5% on Tuesday, to $41.20.",
    "Café naïve: a déjà-vu in Zürich, über alles.",
    "我住在北京，今天天气很好。",
    "🙂 what a day!! #sunny 👍🏽",
    "Москва — столица России.",
    "",
    "It rained, and the match was called off before half-time. " * 60,
)


def to_columns(examples, names):
    """Turn example texts into one list of strings per input.

    Args:
        examples: list. Strings where there is one input, otherwise tuples of
            as many strings as there are inputs; `None` for texts of the
            package's own.
        names: tuple of strings. The names of the inputs.

    Returns:
        A dict of lists of strings.

    Raises:
        BertEmbedError: where `examples` is empty or an example is not of that
            form.
    """
    if isinstance(examples, str):
        raise BertEmbedError(f"`examples` must be a list of texts. Received: {examples!r}.")
    if examples is None:
        count = len(DEFAULT_EXAMPLES)
        rows = [
            tuple(DEFAULT_EXAMPLES[(row + shift) % count] for shift in range(len(names)))
            for row in range(count)
        ]
    else:
        rows = [tuple(row) if isinstance(row, (tuple, list)) else (row,) for row in examples]
        if not rows:
            raise BertEmbedError("`examples` must hold at least one example. Received: none.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names) or not all(isinstance(text, str) for text in row):
            wanted = "a string" if len(names) == 1 else f"{len(names)} strings"
            raise BertEmbedError(
                f"Each example must be {wanted} ({', '.join(names)}). "
                f"Received as example {number}: {row[0] if len(row) == 1 else row!r}."
            )
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def encode(array):
    """Turn an array of numbers or strings into what JSON can hold.

    Args:
        array: NumPy array of finite numbers, booleans or `str`.

    Returns:
        A dict with `dtype`, `shape` and the flat `values`; a float is written
        so that it is read back bit by bit.
    """
    kind = "string" if array.dtype.kind == "U" else array.dtype.name
    return {"dtype": kind, "shape": list(array.shape), "values": array.ravel().tolist()}


def decode(entry):
    """Turn what `encode` made back into an array.

    Args:
        entry: dict. What `encode` returned.

    Returns:
        A NumPy array.
    """
    kind = np.str_ if entry["dtype"] == "string" else np.dtype(entry["dtype"])
    return np.array(entry["values"], dtype=kind).reshape(entry["shape"])


def encode_inputs(columns):
    """Turn the inputs of a signature into what JSON can hold.

    Args:
        columns: dict. Per input a list of strings, or of bytes.

    Returns:
        A dict of lists of strings; bytes are dicts `{"b64": …}`, as in the
        REST API of TensorFlow Serving.
    """
    return {
        name: [
            {BYTES: base64.b64encode(value).decode()} if isinstance(value, bytes) else value
            for value in column
        ]
        for name, column in columns.items()
    }


def decode_inputs(columns):
    """Turn what `encode_inputs` made back into strings and bytes.

    Args:
        columns: dict. What `encode_inputs` returned.

    Returns:
        A dict of lists of strings or bytes.

    Raises:
        ValueError: where `columns` is no such dict.
    """
    return {name: [_decode_value(value) for value in column] for name, column in columns.items()}


def _decode_value(value):
    if isinstance(value, dict) and list(value) == [BYTES]:
        return base64.b64decode(value[BYTES], validate=True)
    if not isinstance(value, str):
        raise ValueError("`inputs` must be lists of strings")
    return value


def write_record(folder, inputs, outputs, versions):
    """Write the record of an export.

    Args:
        folder: `pathlib.Path`. The folder of the SavedModel.
        inputs: dict. Per signature its inputs, each a list of strings or bytes.
        outputs: dict. Per signature a dict of arrays, the model's answers.
        versions: dict. Per package the version that made the export.
    """
    encoded = {signature: encode_inputs(taken) for signature, taken in inputs.items()}
    common = next(iter(encoded.values()))
    others = {signature: taken for signature, taken in encoded.items() if taken != common}
    record = {
        "format": FORMAT,
        "versions": versions,
        "inputs": common,
        # Of signatures that take others than the rest.
        **({"other_inputs": others} if others else {}),
        "signatures": {
            signature: {name: encode(array) for name, array in sorted(arrays.items())}
            for signature, arrays in sorted(outputs.items())
        },
    }
    path = folder / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def _checked_inputs(columns):
    lists = all(isinstance(column, list) and column for column in columns.values())
    if not columns or not lists or len({len(column) for column in columns.values()}) > 1:
        raise ValueError("`inputs` must be lists of strings, all of one length of at least 1")
    return decode_inputs(columns)


def read_record(folder):
    """Read the record of an export.

    Args:
        folder: `pathlib.Path`. The folder of the SavedModel.

    Returns:
        A triple: the inputs and the outputs (arrays), both by signature, and
        the versions.

    Raises:
        MissingFileError: where the folder holds no record.
        FileFormatError: where the record is not what `write_record` wrote.
    """
    path = folder / RECORD
    if not path.is_file():
        raise MissingFileError(
            path,
            "It records what the model answered when it was exported. "
            "Export the model again with `export.export_saved_model`.",
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] not in READABLE:
            raise FileFormatError(
                path,
                f"A record of format {' or '.join(map(str, READABLE))} was expected. "
                f"Received: {record['format']!r}.",
            )
        outputs = {
            signature: {name: decode(entry) for name, entry in arrays.items()}
            for signature, arrays in record["signatures"].items()
        }
        common = _checked_inputs(record["inputs"])
        others = {
            signature: _checked_inputs(taken)
            for signature, taken in record.get("other_inputs", {}).items()
        }
        inputs = {signature: others.get(signature, common) for signature in outputs}
        return inputs, outputs, record["versions"]
    except FileFormatError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            path,
            "The record is damaged. Export the model again. "
            f"Received: {type(error).__name__}: {error}",
        ) from error
