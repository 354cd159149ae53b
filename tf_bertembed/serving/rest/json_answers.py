"""The JSON of answers, written as TensorFlow Serving writes it.

A float is the shortest of six digits or of as many as its type needs, as there;
NaN and the infinities are named, though JSON has no word for them; an output of
strings whose name ends in `_bytes` is base64, and any other keeps its bytes,
be they UTF-8 or not.

Reference: tensorflow_serving/util/json_tensor.cc.
"""

import base64
import json

import numpy as np

from tf_bertembed.serving.rest.json_values import invalid, to_bytes

_WRITER = json.JSONEncoder(ensure_ascii=False)
_FULL_DIGITS = {"float32": 9, "float64": 17}
_BLOCK = 2**16
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"}


def rows_body(outputs):
    """Answer a request in rows.

    Args:
        outputs: dict. Names to NumPy arrays, whose first dimension is the
            batch; strings are objects that are bytes.

    Returns:
        bytes, the JSON.

    Raises:
        ServingError: INVALID_ARGUMENT, where the batches differ or are empty,
            or JSON has no word for a type.
    """
    _check_batches(outputs)
    columns = {name: _values(name, outputs[name], 1) for name in sorted(outputs)}
    if len(columns) == 1:
        rows = next(iter(columns.values()))
    else:
        keys = [_WRITER.encode(name).replace("%", "%%") for name in columns]
        row = "{" + ", ".join(f"{key}: %s" for key in keys) + "}"
        rows = [row % values for values in zip(*columns.values(), strict=True)]
    return to_bytes('{"predictions": [' + ",\n".join(rows) + "]}\n")


def columns_body(outputs):
    """Answer a request in columns.

    Args:
        outputs: dict. Names to NumPy arrays.

    Returns:
        bytes, the JSON.

    Raises:
        ServingError: INVALID_ARGUMENT, where JSON has no word for a type.
    """
    columns = {name: _values(name, outputs[name], 0)[0] for name in sorted(outputs)}
    if len(columns) == 1:
        text = next(iter(columns.values()))
    else:
        items = (f"{_WRITER.encode(name)}: {column}" for name, column in columns.items())
        text = "{" + ",\n".join(items) + "}"
    return to_bytes('{"outputs": ' + text + "}\n")


def classification_body(classes, scores):
    """Answer a classify request.

    Args:
        classes: array `[B, C]` of bytes; `None` where the model names none.
        scores: float array `[B, C]`; `None` where it gives none.

    Returns:
        bytes, the JSON.
    """
    shape = (scores if classes is None else classes).shape
    labels = ['""'] * (shape[0] * shape[1]) if classes is None else _strings(classes, False)
    numbers = ["0.0"] * len(labels) if scores is None else _decimals(scores)
    pairs = [f"[{label}, {number}]" for label, number in zip(labels, numbers, strict=True)]
    return to_bytes('{"results": [' + ",\n".join(_nest(pairs, shape, 1)) + "]}\n")


def regression_body(values):
    """Answer a regress request.

    Args:
        values: float array `[B]` or `[B, 1]`.

    Returns:
        bytes, the JSON.
    """
    return to_bytes('{"results": [' + ", ".join(_decimals(values)) + "]}\n")


def error_body(message):
    """The JSON of an error.

    Args:
        message: string. What went wrong.

    Returns:
        bytes, always UTF-8.
    """
    text = json.dumps({"error": message}, ensure_ascii=False, indent=4)
    return text.encode("utf-8", "replace")


def _check_batches(outputs):
    size = 0
    for name, array in sorted(outputs.items()):
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if len(array) < 1:
            raise invalid(f"Tensor name: {name} has invalid batch size: {len(array)}")
        if size not in (0, len(array)):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {size}"
            )
        size = len(array)


def _values(name, array, outer):
    """The JSON of each element of the first `outer` dimensions of an array."""
    kind = "string" if array.dtype == object else array.dtype.name
    if kind == "string":
        tokens = _strings(array, name.endswith("_bytes"))
    elif kind in _FULL_DIGITS:
        tokens = _decimals(array)
    elif kind == "bool":
        tokens = ["true" if value else "false" for value in array.ravel().tolist()]
    elif kind in _INTEGERS:
        tokens = list(map(str, array.ravel().tolist()))
    else:
        kind = {"float16": "half"}.get(kind, kind)
        raise invalid(f"Failed to write JSON value for tensor type: {kind}")
    return _nest(tokens, array.shape, outer)


def _nest(tokens, shape, outer):
    for level in range(len(shape) - 1, outer - 1, -1):
        size = shape[level]
        if size == 0:
            tokens = ["[]"] * int(np.prod(shape[:level]))
        else:
            tokens = [
                f"[{', '.join(tokens[start : start + size])}]"
                for start in range(0, len(tokens), size)
            ]
    return tokens


def _strings(array, as_b64):
    values = [value if isinstance(value, bytes) else value.encode() for value in array.ravel()]
    if as_b64:
        return [f'{{"b64": "{base64.b64encode(value).decode()}"}}' for value in values]
    texts = (value.decode("utf-8", "surrogateescape") for value in values)
    return list(map(_WRITER.encode, texts))


def _decimals(array):
    """Each float as text: many at once, since an embedding has hundreds a row."""
    flat = array.ravel()
    # Other threads wait while a block is formatted.
    blocks = (flat[start : start + _BLOCK] for start in range(0, flat.size, _BLOCK))
    return [text for block in blocks for text in _decimals_of_block(block)]


def _decimals_of_block(flat):
    digits = _FULL_DIGITS[flat.dtype.name]
    formats = np.full(flat.shape, f"%.{digits}g", dtype=object)
    short = _has_six_digits(flat)
    formats[short] = "%.6g"
    # Where the format gives neither a point nor an exponent.
    with np.errstate(invalid="ignore"):
        whole = (flat == np.rint(flat)) & (np.abs(flat) < np.where(short, 1e6, 10.0**digits))
    formats[whole] += ".0"
    formats[np.isnan(flat)] = "NaN%.0s"
    formats[np.isposinf(flat)] = "Infinity%.0s"
    formats[np.isneginf(flat)] = "-Infinity%.0s"
    return ("\n".join(formats.tolist()) % tuple(flat.tolist())).split("\n")


def _has_six_digits(flat):
    """Whether six significant digits read back as the same float."""
    if flat.dtype == np.float64:
        return np.array([float(f"{value:.6g}") == value for value in flat.tolist()])
    # In double precision, whose error is far below a step of a float32.
    values = np.abs(flat.astype(np.float64))
    with np.errstate(all="ignore"):
        scale = 10.0 ** (5 - np.floor(np.log10(values)))
        rounded = (np.rint(values * scale) / scale).astype(flat.dtype)
    return (rounded == np.abs(flat)) | (flat == 0)
