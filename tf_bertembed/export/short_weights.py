"""Weights that a SavedModel stores in a short type and widens once, when it is loaded."""

import uuid

import keras
import tensorflow as tf

from tf_bertembed.export.inference import large_weights


class ShortWeight(tf.saved_model.experimental.TrackableResource):
    """One weight in two resources: what is stored, and the float32 that graphs read.

    The second one is filled by the model's initializer, as tables of words
    are, so that no request pays for the widening.

    Args:
        variable: a Keras variable, float32.
        dtype: `tf.DType`. The type that is stored.
    """

    def __init__(self, variable, dtype):
        super().__init__()
        self._name = variable.path
        self._shape = variable.shape
        self.stored = tf.Variable(tf.cast(variable.value, dtype), trainable=False)

    def _create_resource(self):
        # Eager resources are shared by name in all of a process, those of a model in its graph.
        name = f"{self._name}/{uuid.uuid4()}" if tf.executing_eagerly() else self._name
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=self._shape, shared_name=name)

    def _initialize(self):
        value = tf.cast(self.stored, tf.float32)
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=value)

    def read(self):
        """The float32 tensor, in the graph of a loaded model."""
        return tf.raw_ops.ReadVariableOp(resource=self.resource_handle, dtype=tf.float32)


class ShortWeights:
    """The large weights of a task, stored in a short type.

    Args:
        task: a task whose weights are rounded to `dtype` already.
        dtype: `tf.DType`. The type that is stored.
    """

    def __init__(self, task, dtype):
        self._weights = [(v, ShortWeight(v, dtype)) for v in large_weights(task)]

    def in_place(self):
        """Have layers read the stored weights in the place of their own, as a context."""
        # A graph reads each weight once, wherever it is used.
        return keras.StatelessScope([(v, weight.read()) for v, weight in self._weights])

    def stored(self):
        """The variables to save."""
        return [weight.stored for _, weight in self._weights]

    def resources(self):
        """What fills itself from them."""
        return [weight for _, weight in self._weights]
