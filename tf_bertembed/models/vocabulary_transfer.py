"""A backbone with the same encoder and another vocabulary."""

from tf_bertembed.common import BertEmbedError, derive_seed
from tf_bertembed.layers.initializers import without_drawing
from tf_bertembed.models.lora import plain_weights

TOKEN_TABLE = "token_embedding"


def transfer_vocabulary(backbone, mixture, seed=0):
    """Make a copy of a backbone that reads another vocabulary.

    The rows of its token table are made of the old ones; every other weight,
    the table of word vectors among them, is the same.

    Args:
        backbone: a `BertEmbedBackbone`; it is not changed.
        mixture: a `vectors.PieceMixture` from its vocabulary to the new one.
        seed: int. Draws the rows that are made of no old one.

    Returns:
        A `BertEmbedBackbone`, whose `vocabulary_size` is the number of new
        pieces.

    Raises:
        BertEmbedError: where something else is given, or the old vocabulary of
            the mixture is larger than the backbone's token table.

    Example:

    ```python
    from tf_bertembed import models, text, vectors

    old = [*text.SPECIAL_TOKENS, "play", "##ed", "##s"]
    backbone = models.BertEmbedBackbone(len(old), 1, 2, 8, 16)
    new = text.extend_vocabulary(old, ["played played plays"], 2, min_frequency=1)
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(old, new, "mean"))
    table = moved.token_embedding.embeddings.numpy()
    assert new[8:] == ["played", "plays"] and table.shape == (10, 8)
    assert (table[:8] == backbone.token_embedding.embeddings.numpy()).all()
    ```

    References:
        Dobler and de Melo, 2023, https://arxiv.org/abs/2305.14481; Minixhofer
        et al., 2022, https://arxiv.org/abs/2112.06598
    """
    if not hasattr(backbone, "token_embedding") or not hasattr(mixture, "old_pieces"):
        raise BertEmbedError(
            "A backbone (of a path, what `models.load` gives; of a task, its `backbone`) and what "
            "`vectors.mix_pieces` gives were expected. Received: "
            f"{backbone!r:.60} and {mixture!r:.60}."
        )
    known = len(mixture.old_pieces)
    if known > backbone.vocabulary_size:
        raise BertEmbedError(
            f"The mixture is of {known} old pieces, the backbone's token table has only "
            f"{backbone.vocabulary_size} rows. Make it from the vocabulary of the backbone."
        )
    config = backbone.get_config()
    config["vocabulary_size"] = len(mixture.pieces)
    with without_drawing():
        moved = type(backbone).from_config(config)
    for layer in backbone.layers:
        if not layer.weights:
            continue
        values = plain_weights(layer)
        if layer.name == TOKEN_TABLE:
            values = [mixture.mix(table, derive_seed(seed, TOKEN_TABLE)) for table in values]
        moved.get_layer(layer.name).set_weights(values)
    return moved
