"""A backbone made out of a checkpoint's tensors."""

import keras
import tensorflow as tf

from tf_bertembed.layers.initializers import without_drawing
from tf_bertembed.models.backbone import BertEmbedBackbone
from tf_bertembed.models.tensors import assign_backbone


def filled_backbone(arguments, source):
    """Make a backbone and fill it.

    What the source does not hold (a pooler, or parts that BERT lacks) starts as in a new
    backbone, by the same seeds.

    Args:
        arguments: dict. Arguments of `BertEmbedBackbone`; positions are learned.
        source: a `TensorSource`.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        FileFormatError: as `assign_backbone` does.
    """
    starts = []

    def create(next_creator, **settings):
        before = len(skipped)
        variable = next_creator(**settings)
        if len(skipped) > before:
            starts.append((variable, settings["initial_value"]))
        return variable

    with without_drawing() as skipped, tf.variable_creator_scope(create):
        backbone = BertEmbedBackbone(**arguments)
    if len(starts) < len(skipped):
        raise RuntimeError(
            f"Keras {keras.__version__} makes variables in another way than the one this was "
            f"written for: {len(skipped)} were not drawn, of which only {len(starts)} can be."
        )
    filled = {id(variable.value) for variable in assign_backbone(backbone, source)}
    for variable, start in starts:
        if id(variable) not in filled:
            variable.assign(start())
    return backbone
