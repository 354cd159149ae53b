"""What a signature of a served model takes and answers."""

import dataclasses
import functools

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Args:
        dtype: `tf.DType`. The type.
        shape: tuple of ints, `None` where a size is open; `None` instead of
            the tuple where the rank is open.
        tensor_name: string. The name of the tensor in the graph.
    """

    dtype: tf.DType
    shape: tuple | None
    tensor_name: str

    @classmethod
    def from_proto(cls, info):
        """Read a `TensorInfo` message."""
        shape = None
        if not info.tensor_shape.unknown_rank:
            shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
        return cls(tf.as_dtype(info.dtype), shape, info.name)

    def takes(self, shape):
        """Whether an array of this shape fits."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            own is None or own == given for own, given in zip(self.shape, shape, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way of calling a model.

    Args:
        method_name: string. What kind of request it answers, for example
            `"tensorflow/serving/predict"`.
        inputs: dict from names to `TensorSpec`.
        outputs: dict from names to `TensorSpec`.
    """

    method_name: str
    inputs: dict
    outputs: dict

    @functools.cached_property
    def batchable(self):
        """bool. Whether rows of several requests can be answered together.

        Strings need no padding before they are put together. Nor may an
        answer depend on its neighbours: an output that is as wide as the
        longest text of its batch would.
        """
        return self.divisible and not self.wide

    @functools.cached_property
    def takes_texts(self):
        """bool. Whether every input is a list of strings."""
        return bool(self.inputs) and all(
            s.dtype == tf.string and s.shape == (None,) for s in self.inputs.values()
        )

    @functools.cached_property
    def divisible(self):
        """bool. Whether it takes texts and gives an answer to each."""
        return self.takes_texts and all(
            s.shape and s.shape[0] is None for s in self.outputs.values()
        )

    @functools.cached_property
    def wide(self):
        """list of strings. The outputs that are as wide as the longest text."""
        return [name for name, s in self.outputs.items() if s.shape and None in s.shape[1:]]
