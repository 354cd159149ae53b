"""Word vectors for a backbone that was made without them."""

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.lora import plain_weights


def with_fusion(
    backbone,
    matrix,
    input_fusion=None,
    output_fusion=None,
    static_trainable=False,
    static_dropout=0.0,
    static_normalize=None,
    normalize_encoded=True,
    **overrides,
):
    """Make a copy of a backbone that word vectors join.

    The copy has the same weights; the layers of the fusion are new. At its
    start `input_fusion` changes no output (see `layers.InputFusion`), nor does
    `output_fusion="add"` or `"gate"` with `normalize_encoded=False`.

    Args:
        backbone: a `BertEmbedBackbone` without fusion; it is not changed.
        matrix: array of shape `[W + 1, S]`, float, row 0 zeros, as
            `vectors.static_table` makes it.
        input_fusion: string. `"add"`, `"concat"`, `"gate"` or `None`.
        output_fusion: string. `"concat"`, `"add"`, `"gate"` or `None`.
        static_trainable: bool. Whether training changes the word vectors.
        static_dropout: float. The share of the words that lose their vector
            in training.
        static_normalize: string. `"unit"` or `"standard"` vectors, or `None`
            for vectors as they are.
        normalize_encoded: bool. Whether output fusion normalises the
            encoder's vector too, or leaves it as it is.
        **overrides: other arguments of `BertEmbedBackbone` that change no
            weight: `dropout`, `dtype`, `name`.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        BertEmbedError: where the backbone has fusion already, no fusion is
            asked for, the matrix is no table, or an override is another.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models

    plain = models.BertEmbedBackbone(100, 1, 2, 8, 16)
    table = np.array([[0, 0, 0], [1, 2, 3]])
    fused = models.with_fusion(plain, table, output_fusion="concat")
    assert fused.output_dim == 11
    ```
    """
    if backbone.static_embedding is not None:
        raise BertEmbedError(
            "The backbone has word vectors already. Received: "
            f"input_fusion={backbone.input_fusion!r}, output_fusion={backbone.output_fusion!r}."
        )
    unknown = sorted(set(overrides) - {"dropout", "dtype", "name"})
    if unknown:
        raise BertEmbedError(
            f"Besides fusion only `dropout`, `dtype` and `name` can be chosen. Received: {unknown}."
        )
    if isinstance(matrix, tuple):
        raise BertEmbedError(
            "A table [W + 1, S] was expected. Received: a tuple. `vectors.static_table` gives "
            "`(words, matrix)`; pass the matrix."
        )
    matrix = np.asarray(matrix)
    if matrix.ndim != 2:
        raise BertEmbedError(f"A table [W + 1, S] was expected. Received: shape {matrix.shape}.")
    config = {name: value for name, value in backbone.get_config().items() if name != "name"}
    fused = type(backbone).from_config(
        {
            **config,
            "static_vocabulary_size": matrix.shape[0],
            "static_dim": matrix.shape[1],
            "input_fusion": input_fusion,
            "output_fusion": output_fusion,
            "static_trainable": static_trainable,
            "static_dropout": static_dropout,
            "static_normalize": static_normalize,
            "normalize_encoded": normalize_encoded,
            **overrides,
        }
    )
    for layer in backbone.layers:
        if layer.weights:
            fused.get_layer(layer.name).set_weights(plain_weights(layer))
    fused.set_static_vectors(matrix)
    return fused
