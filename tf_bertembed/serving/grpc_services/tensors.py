"""Arrays from and to `TensorProto`."""

import numpy as np
import tensorflow as tf

from tf_bertembed.serving.errors import ServingError

# A few bytes can claim any shape; TensorFlow fills what is missing with the last value.
MOST_FILLED = 4096

# Where TensorFlow Serving puts the values of an answer, and clients look for them.
FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    **dict.fromkeys(("int32", "int16", "int8", "uint8", "uint16"), "int_val"),
    **dict.fromkeys(("float16", "bfloat16"), "half_val"),
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


def to_proto(array, spec):
    """Write one output of an answer.

    Args:
        array: array.
        spec: `TensorSpec`. Its type.

    Returns:
        A `TensorProto`, its values in the field of their type.
    """
    proto = tf.make_tensor_proto(0, tf.uint8)
    proto.Clear()
    proto.dtype = spec.dtype.as_datatype_enum
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if spec.dtype == tf.string:
        proto.string_val.extend(array.ravel().tolist())
        return proto
    if spec.dtype.name not in FIELDS:
        raise ServingError(
            "UNIMPLEMENTED", f"An output of type {spec.dtype.name} cannot be sent by this server."
        )
    field = FIELDS[spec.dtype.name]
    flat = array.ravel()
    if field == "half_val":
        flat = flat.view(np.uint16)
    getattr(proto, field).extend(flat.tolist())
    return proto
