"""Tensors from the JSON of a predict request, by TensorFlow Serving's rules.

Reference: tensorflow_serving/util/json_tensor.cc and .h.
"""

import base64
import binascii
import itertools

import numpy as np

from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.rest.json_values import (
    RepeatedKeys,
    invalid,
    json_type,
    show,
    to_bytes,
)

# NumPy 1 has no more dimensions.
MOST_DIMENSIONS = 32
_NAMES = {"float32": "float", "float64": "double", "float16": "half"}
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
_UNSUPPORTED_INTEGERS = {"uint16"}


def predict_inputs(document, inputs):
    """Read the tensors of a predict request.

    Args:
        document: dict. The request, as `parse_json` gives it.
        inputs: dict. The inputs of the signature: names to what has a
            `dtype`, a `tf.DType`.

    Returns:
        A pair: a dict of NumPy arrays (of strings: objects that are bytes),
        and whether the request is in rows ("instances") and not in columns
        ("inputs").

    Raises:
        ServingError: INVALID_ARGUMENT, or UNIMPLEMENTED for a type that JSON
            cannot express, in the words of TensorFlow Serving.
    """
    if "instances" in document:
        rows = document["instances"]
        if "inputs" in document:
            raise invalid(
                f"JSON Value: {show(document)} Not formatted correctly expecting only "
                "one of 'inputs' or 'instances' keys to exist "
            )
        if not isinstance(rows, list):
            raise invalid(f"JSON Value: {show(document)} Excepting 'instances' to be an list/array")
        if not rows:
            raise invalid(f"JSON Value: {show(document)} No values in 'instances' array")
        return _from_rows(rows, inputs), True
    if "inputs" in document:
        return _from_columns(document["inputs"], inputs), False
    raise invalid("Missing 'inputs' or 'instances' key")


def is_b64(value):
    """Whether a value stands for bytes: `{"b64": "…"}`.

    Args:
        value: what `parse_json` makes.

    Returns:
        bool.
    """
    return type(value) is dict and len(value) == 1 and isinstance(value.get("b64"), str)


def decode_b64(value):
    """The bytes of a `{"b64": "…"}`.

    Args:
        value: what `parse_json` makes.

    Returns:
        bytes.

    Raises:
        ServingError: INVALID_ARGUMENT, where it is no such object, or its
            string no base64.
    """
    if not is_b64(value):
        raise invalid(f"JSON Value: {show(value)} not formatted correctly for base64 data")
    letters = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def to_array(value, dtype):
    """Make a dense tensor of nested lists.

    Args:
        value: what `parse_json` makes.
        dtype: `tf.DType`. The type that the signature declares.

    Returns:
        A NumPy array.

    Raises:
        ServingError: INVALID_ARGUMENT or UNIMPLEMENTED.
    """
    found = _regular(value, dtype)
    if found is None:
        shape = _shape_of(value)
        found = _array(_walk(value, 0, shape, dtype), dtype).reshape(shape)
    return found


def _first(inputs):
    name = min(inputs)
    return name, inputs[name]


def _is_object(value):
    return isinstance(value, dict) and not is_b64(value)


def _from_columns(value, inputs):
    if _is_object(value):
        missing = [name for name in inputs if name not in value]
        if missing:
            raise invalid(f"Missing named input: {missing[0]} in 'inputs' object.")
        return {name: to_array(value[name], spec.dtype) for name, spec in inputs.items()}
    if len(inputs) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple "
            "input tensors required as per tensorinfo_map"
        )
    name, spec = _first(inputs)
    return {name: to_array(value, spec.dtype)}


def _from_rows(rows, inputs):
    if not isinstance(rows[0], dict) and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    if _is_object(rows[0]):
        if all(type(row) is dict and row.keys() == inputs.keys() for row in rows):
            found = {
                name: _regular([row[name] for row in rows], spec.dtype)
                for name, spec in inputs.items()
            }
        else:
            found = {"": None}
    else:
        name, spec = _first(inputs)
        found = {name: _regular(rows, spec.dtype)}
    if any(array is None for array in found.values()):
        found = _from_irregular_rows(rows, inputs)
    return found


def _from_irregular_rows(rows, inputs):
    """Row by row, for the error that TensorFlow Serving would give."""
    objects = _is_object(rows[0])
    only, _ = _first(inputs)
    shapes, leaves = {}, {}
    for place, row in enumerate(rows):
        if objects is not _is_object(row):
            raise invalid(
                f"Expecting object but got list at item {place} of input list"
                if objects
                else f"Expecting value/list but got object at item {place} of input list"
            )
        for name, value in row.items() if objects else [(only, row)]:
            try:
                _add_row(name, value, inputs, shapes, leaves)
            except ServingError as error:
                key = f" key: {name}" if objects else ""
                raise invalid(
                    f"Failed to process element: {place}{key} of 'instances' list. "
                    f"Error: {error.code}: {error}"
                ) from None
        if objects and (row.keys() != inputs.keys() or isinstance(row, RepeatedKeys)):
            raise invalid(
                f"Failed to process element: {place} of 'instances' list. JSON object: "
                f"{show(row)} must only have keys: {','.join(sorted(inputs))}"
            )
    return {
        name: _array(leaves[name], inputs[name].dtype).reshape(len(rows), *shapes[name])
        for name in shapes
    }


def _add_row(name, value, inputs, shapes, leaves):
    if name not in inputs:
        raise invalid(f"JSON object: does not have named input: {name}")
    shape = _shape_of(value)
    added = _walk(value, 0, shape, inputs[name].dtype)
    first = shapes.setdefault(name, shape)
    if shape != first:
        if np.prod(shape, dtype=object) != np.prod(first, dtype=object):
            raise invalid(
                f"Expecting tensor size: {np.prod(first, dtype=object)} but got: {len(added)}"
            )
        raise invalid(f"Expecting shape {_show_shape(first)} but got: {_show_shape(shape)}")
    leaves.setdefault(name, []).extend(added)


def _show_shape(shape):
    return f"[{','.join(map(str, shape))}]"


def _shape_of(value):
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > MOST_DIMENSIONS:
            raise invalid(f"Encountered a list of more than {MOST_DIMENSIONS} dimensions")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _walk(value, level, shape, dtype):
    """The leaves of a value, each checked, as TensorFlow Serving checks it."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {show(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        if isinstance(value, dict):
            return [decode_b64(value) if dtype.name == "string" else _refuse(value, dtype)]
        return [_leaf(value, dtype)]
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    walked = (_walk(item, level + 1, shape, dtype) for item in value)
    return list(itertools.chain.from_iterable(walked))


def _type_name(dtype):
    return _NAMES.get(dtype.name, dtype.name)


def _refuse(value, dtype):
    raise invalid(
        f"JSON Value: {show(value)} Type: {json_type(value)} "
        f"is not of expected type: {_type_name(dtype)}"
    )


def _leaf(value, dtype):
    name = dtype.name
    if name == "string":
        return to_bytes(value) if type(value) is str else _refuse(value, dtype)
    if name == "bool":
        return value if type(value) is bool else _refuse(value, dtype)
    if name in _INTEGERS and name not in _UNSUPPORTED_INTEGERS:
        limits = np.iinfo(name)
        fits = type(value) is int and limits.min <= value <= limits.max
        return value if fits else _refuse(value, dtype)
    if name in ("float32", "float64"):
        if type(value) not in (int, float):
            _refuse(value, dtype)
        return _decimal(value, dtype)
    raise ServingError(
        "UNIMPLEMENTED", f"Conversion of JSON Value: {show(value)} to type: {_type_name(dtype)}"
    )


def _decimal(value, dtype):
    limits = np.finfo(dtype.name)
    # RapidJSON reads what no 64-bit integer holds as a double.
    if type(value) is int and -(2**63) <= value < 2**64:
        fits = abs(value) < 2 ** (limits.nmant + 1)
    else:
        try:
            value = float(value)
        except OverflowError:
            raise invalid("JSON Parse error: Number too big to be stored in double.") from None
        fits = not np.isfinite(value) or abs(value) <= float(limits.max)
    if not fits:
        raise invalid(
            f"Cannot convert JSON value: {show(value)} to {_type_name(dtype)} "
            "without loss of precision."
        )
    return value


def _array(leaves, dtype):
    made = np.empty(len(leaves), dtype=object if dtype.name == "string" else dtype.name)
    made[:] = leaves
    return made


def _regular(value, dtype):
    """The array of a value without a fault, fast; `None` where a closer look is needed."""
    shape, flat = [], [value]
    while flat and type(flat[0]) is list:
        size = len(flat[0])
        if any(type(item) is not list or len(item) != size for item in flat):
            return None
        shape.append(size)
        if len(shape) > MOST_DIMENSIONS:
            return None
        flat = list(itertools.chain.from_iterable(flat))
    leaves = _plain_leaves(flat, dtype.name)
    return None if leaves is None else _array(leaves, dtype).reshape(shape)


def _plain_leaves(flat, name):
    kinds = set(map(type, flat))
    if name == "string":
        return [to_bytes(text) for text in flat] if kinds <= {str} else None
    if name == "bool":
        return flat if kinds <= {bool} else None
    if name in _INTEGERS and name not in _UNSUPPORTED_INTEGERS:
        limits = np.iinfo(name)
        fits = kinds <= {int} and (
            not flat or (limits.min <= min(flat) and max(flat) <= limits.max)
        )
        return flat if fits else None
    if name in ("float32", "float64") and kinds <= {int, float}:
        largest = 2 ** (np.finfo(name).nmant + 1)
        fits = not flat or (-largest < min(flat) and max(flat) < largest)
        return flat if fits else None
    return None
