"""A learning rate for each layer."""

import math

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.encoder_parts import embedding_layers, head_layers


def layer_rates(task, layer_decay, head_factor=1.0):
    """Factors of the learning rate, smaller the lower a layer is.

    The topmost transformer layer gets `layer_decay`, each below it
    `layer_decay` times as much, the embeddings and the word vectors the least;
    the pooler and the layers of fusion `head_factor`, as the head.

    Args:
        task: a task.
        layer_decay: float, above 0 and at most 1.
        head_factor: float. For a head that should learn faster, above 1.

    Returns:
        A dict from names of layers to floats, for `tasks.AdamW`.

    Raises:
        BertEmbedError: where a factor is out of its range.
    """
    if not 0 < layer_decay <= 1 or not 0 < head_factor < math.inf:
        raise BertEmbedError(
            "`layer_decay` must be above 0 and at most 1, `head_factor` positive. Received: "
            f"layer_decay={layer_decay}, head_factor={head_factor}."
        )
    backbone = task.backbone
    below = [[*embedding_layers(backbone), backbone.static_embedding]]
    groups = [*below, *([layer] for layer in backbone.transformer_layers)]
    factors = {
        layer.name: layer_decay ** (len(groups) - place)
        for place, group in enumerate(groups)
        for layer in group
        if layer is not None
    }
    heads = [*head_layers(backbone), *(layer for layer in task.layers if layer is not backbone)]
    return {**factors, **{layer.name: head_factor for layer in heads if layer.weights}}
