"""A vector of a text from a model that was trained to answer something else."""

from tf_bertembed.layers import MaskedPooling


def mean_embedding(backbone):
    """Make what a task without a vector of its own answers as `embed`.

    It is the mean of `sequence_output` over the pieces, as `tf-bertembed
    embed` gives it for a RUN of such a task.

    Args:
        backbone: a `BertEmbedBackbone`.

    Returns:
        A function from features `[B, T]` to a dict of `embedding` `[B, D]`,
        float32.
    """
    pooling = MaskedPooling("mean", dtype="float32")

    def embed(features):
        inputs = {name: features[name] for name in backbone.input}
        sequence = backbone(inputs, training=False)["sequence_output"]
        return {"embedding": pooling(sequence, features["padding_mask"])}

    return embed
