"""What a tensor looks like in a message, as TensorFlow itself reads it."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from tf_bertembed.serving.grpc_services.tensors import fill_proto, to_array
from tf_bertembed.serving.signature import TensorSpec


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (3, 43), (2, 3, 4), (70, 300)])
@pytest.mark.parametrize(
    "dtype",
    ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool", "string"],
)
def test_tensorflow_reads_what_is_written(dtype, shape):
    kind = tf.as_dtype(dtype)
    values = np.random.default_rng(0).normal(scale=50, size=shape)
    if kind == tf.string:
        array = np.empty(shape, object)
        array[...] = np.vectorize(lambda value: b"%.3f\x00" % value, [object])(values)
    else:
        array = np.abs(values).astype(kind.as_numpy_dtype)
    proto = TensorProto()
    fill_proto(proto, array, TensorSpec(kind, shape, "x"))
    again = TensorProto.FromString(proto.SerializeToString())
    assert again == proto
    assert not proto.tensor_content
    for read in (tf.make_ndarray(proto), to_array("x", again)):
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read, array)


def test_numbers_that_are_not_finite():
    proto = TensorProto()
    array = np.array([np.nan, np.inf, -np.inf, -0.0], "float32")[::-1]
    fill_proto(proto, array, TensorSpec(tf.float32, (4,), "x"))
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)
    np.testing.assert_array_equal(proto.float_val, array)


def test_fewer_strings_than_the_shape_says_are_filled_up_as_tensorflow_does():
    proto = tf.make_tensor_proto(["a", "b"])
    proto.tensor_shape.dim[0].size = 4
    assert to_array("x", proto).tolist() == [b"a", b"b", b"b", b"b"]
