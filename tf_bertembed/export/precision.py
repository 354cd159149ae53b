"""How the weights of an export are stored, and how far that moves its answers."""

import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.export.comparison import compare
from tf_bertembed.export.inference import has_backbone, rounded_form
from tf_bertembed.export.served_task import ServedTask
from tf_bertembed.export.short_weights import ShortWeights

PRECISIONS = ("float32", "bfloat16")
# The largest distance of an answer from that of float32, over the largest magnitude.
MOST_ROUNDING = 0.05


def check_precision(precision, task):
    """Raise where the weights of a task cannot be stored so.

    Args:
        precision: string. `"float32"` or `"bfloat16"`.
        task: a task, as for `export_saved_model`.

    Raises:
        BertEmbedError: where it is another, or the task is none of
            `tf_bertembed.tasks`.
    """
    if precision not in PRECISIONS:
        raise BertEmbedError(
            f"`precision` must be one of {', '.join(PRECISIONS)}. Received: {precision!r}."
        )
    if precision != "float32" and not has_backbone(task):
        raise BertEmbedError(
            f"`precision={precision!r}` is for the tasks of tf_bertembed.tasks, whose weights are "
            f"known. Received: {type(task).__name__}."
        )


def in_precision(precision, served, inputs, outputs):
    """Serve a task with weights that are stored in a precision.

    Args:
        precision: string. As for `check_precision`.
        served: a `ServedTask` in float32.
        inputs: dict. Per signature its inputs, as `served.requests` gives them.
        outputs: dict. Per signature the answers of `served` to them.

    Returns:
        A tuple: the `ServedTask` to save, its answers, and what to tell of
        them, a dict of `precision` and `rounding` (a float, or `None`).

    Raises:
        BertEmbedError: where answers are further off than `MOST_ROUNDING`.
    """
    if precision == "float32":
        return served, outputs, {"precision": precision, "rounding": None}
    dtype = tf.as_dtype(precision)
    task = rounded_form(served.task, dtype)
    rounded = ServedTask(task, ShortWeights(task, dtype))
    answers = rounded.answers_in_memory(inputs)
    distances = {
        f"{signature}.{name}": compare(
            signature, name, array, answers[signature][name], 0
        ).difference
        for signature, arrays in outputs.items()
        for name, array in arrays.items()
        # A text may have more entities, or another label, by a hair.
        if array.dtype.kind == "f" and array.shape == answers[signature][name].shape
    }
    worst = max(distances, key=distances.get)
    if distances[worst] > MOST_ROUNDING:
        raise BertEmbedError(
            f"Weights in {precision} move the answers of this model too far: at most "
            f"{MOST_ROUNDING} of the largest value is let pass. Received: {distances[worst]:.3f} "
            f"at {worst}. Export it in float32."
        )
    return rounded, answers, {"precision": precision, "rounding": distances[worst]}
