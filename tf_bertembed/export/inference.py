"""The form of a task that is served: float32, with nothing left to add up at each request."""

import tensorflow as tf

from tf_bertembed.models import BertEmbedBackbone
from tf_bertembed.models.lora import adapted_layers, plain_weights


def has_backbone(task):
    """Whether a task is made of Keras weights over a backbone of this package."""
    return isinstance(getattr(task, "backbone", None), BertEmbedBackbone)


def inference_form(task):
    """The task that is served in place of another one.

    What was trained in mixed precision computes in float32, from the same
    weights, and what was learned at low rank is added to the kernels. A task
    that is so already is served itself.

    Args:
        task: a task, as for `export_saved_model`; it is not changed.

    Returns:
        A task with the same answers but for rounding.
    """
    if not has_backbone(task):
        return task
    plain = task.backbone.dtype_policy.name == "float32" and not adapted_layers(task.backbone)
    return task if plain else _copied(task)


def rounded_form(task, dtype):
    """A copy of a task whose large weights hold only what a shorter type can.

    Args:
        task: a task over a `BertEmbedBackbone`; it is not changed.
        dtype: `tf.DType`. The type that they are rounded to.

    Returns:
        A task that computes in float32.
    """
    rounded = _copied(task)
    for variable in large_weights(rounded):
        variable.assign(tf.cast(tf.cast(variable.value, dtype), variable.dtype))
    return rounded


def large_weights(task):
    """The float32 matrices of a task; biases and scales are hardly any of its bytes."""
    return [v for v in task.weights if len(v.shape) > 1 and v.dtype == "float32"]


def _copied(task):
    backbone = type(task.backbone).from_config({**task.backbone.get_config(), "dtype": "float32"})
    parts = {"backbone": backbone, "preprocessor": task.preprocessor}
    copied = type(task)(**{**task.get_config(), **parts})
    copied.set_weights(plain_weights(task))
    return copied
