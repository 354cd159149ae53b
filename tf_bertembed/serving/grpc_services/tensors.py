"""Arrays from and to `TensorProto`."""

import numpy as np
import tensorflow as tf

from tf_bertembed.serving.errors import ServingError

# A few bytes can claim any shape; TensorFlow fills what is missing with the last value.
MOST_FILLED = 4096

# Where TensorFlow Serving puts the values of an answer, and clients look for them.
FIELDS = {
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    **dict.fromkeys(("int32", "int16", "int8", "uint8", "uint16"), "int_val"),
    **dict.fromkeys(("float16", "bfloat16"), "half_val"),
}
# The first byte of `float_val` and of `double_val` as messages are sent, and what follows.
PACKED = {
    "float32": (bytes([5 << 3 | 2]), np.dtype("<f4")),
    "float64": (bytes([6 << 3 | 2]), np.dtype("<f8")),
}


def to_array(name, proto, most_rows=None):
    """Read one input of a request.

    Args:
        name: string. The name of the input.
        proto: `TensorProto`.
        most_rows: int. The most rows; `None` for no limit.

    Returns:
        An array; strings are objects that are bytes.

    Raises:
        ServingError: INVALID_ARGUMENT where it is no tensor, or has too many rows.
    """
    problem = ServingError("INVALID_ARGUMENT", f"tensor parsing error: {name}")
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise problem
    size = 1
    for dim in sizes:
        size *= dim
    if size > MOST_FILLED and size > proto.ByteSize():
        raise problem
    if sizes:
        check_rows(sizes[0], most_rows)
    if proto.dtype == tf.string.as_datatype_enum and len(proto.string_val) == size:
        # What nearly every request holds; TensorFlow takes ten times as long.
        texts = np.empty(size, object)
        texts[:] = list(proto.string_val)
        return texts.reshape(sizes)
    try:
        return tf.make_ndarray(proto)
    # What it raises for a message that fits no type is not documented.
    except (TypeError, ValueError, KeyError) as error:
        raise problem from error


def check_rows(rows, most):
    """Refuse a request of too many rows.

    Args:
        rows: int.
        most: int. `None` for no limit.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    if most is not None and rows > most:
        raise ServingError(
            "INVALID_ARGUMENT",
            f"The request has {rows} rows; this server takes at most {most}. Send it in parts.",
        )


def fill_proto(proto, array, spec):
    """Write one output of an answer.

    Args:
        proto: `TensorProto`. What is filled, its values in the field of
            their type.
        array: array.
        spec: `TensorSpec`. Its type.
    """
    proto.dtype = spec.dtype.as_datatype_enum
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if spec.dtype == tf.string:
        proto.string_val.extend(array.ravel().tolist())
        return
    if spec.dtype.name in PACKED:
        tag, dtype = PACKED[spec.dtype.name]
        data = array.astype(dtype, copy=False).tobytes()
        # As the field is sent: an object of Python for each value would take ten times as long.
        proto.MergeFromString(tag + _varint(len(data)) + data)
        return
    if spec.dtype.name not in FIELDS:
        raise ServingError(
            "UNIMPLEMENTED", f"An output of type {spec.dtype.name} cannot be sent by this server."
        )
    field = FIELDS[spec.dtype.name]
    flat = array.ravel()
    if field == "half_val":
        flat = flat.view(np.uint16)
    getattr(proto, field).extend(flat.tolist())


def _varint(number):
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])
