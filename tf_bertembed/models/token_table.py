"""The token table starts from word vectors."""

import math
import numbers

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.projection import project


def _raise_other_tables(backbone, deviation):
    tables = [backbone.segment_embedding.embeddings]
    if backbone.tag_embedding is not None:
        tables.append(backbone.tag_embedding.embeddings)
    if backbone.position_embedding_kind == "learned":
        tables.append(backbone.position_embedding.position_embeddings)
    for table in tables:
        values = np.asarray(table)
        # A table of zeros was cleared on purpose.
        if 0 < values.std() < deviation:
            table.assign(values * (deviation / values.std()))


def warm_start(backbone, matrix, scale=1.6, seed=0, balance=False):
    """Start a backbone's token table from word vectors.

    For pretraining, long rows are best: each step moves them little, so that
    they keep what the vectors know while the layers learn to read it. At the
    default scale small models learned faster than at any smaller one, in
    English and in Chinese, normalised before or after each block; twice that
    gained a little in Chinese and nothing in English. Fine-tuned with no
    pretraining at all, rows as long as the vectors are (`"own"`) did better
    (`benchmarks/warm_start.py`, `warm_start_fine_tuning.py`). A `Pretrainer`
    made afterwards adapts its head to the rows.

    Args:
        backbone: a `BertEmbedBackbone`. It is changed in place.
        matrix: array of shape `[vocabulary_size, S]`, float. A row a piece
            (see `vectors.align`).
        scale: float or `"own"`. The deviation of the table's components: a
            number rescales the whole table to it; `"own"` keeps the length
            of the vectors.
        seed: int. Chooses the projection where S is smaller than the table.
        balance: bool. Whether learned position, segment and tag tables of a
            smaller deviation than the tokens (as they reach the encoder) are
            raised to it. Off by default: small models, normalised before or
            after each block, learned more slowly with it.

    Raises:
        BertEmbedError: where the matrix does not fit the vocabulary, is all
            zeros or not finite, or the scale is not positive.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models

    backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
    vectors = np.random.default_rng(0).normal(size=(100, 4))
    models.warm_start(backbone, vectors, scale=0.3)
    table = backbone.token_embedding.embeddings.numpy()
    assert abs(table.std() - 0.3) < 1e-3
    ```
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != backbone.vocabulary_size:
        raise BertEmbedError(
            "A warm start needs one vector a piece: expected shape "
            f"({backbone.vocabulary_size}, S). Received: {matrix.shape}. "
            "Align the vectors to the backbone's own vocabulary."
        )
    if not np.isfinite(matrix).all() or not matrix.any():
        raise BertEmbedError("The vectors of a warm start must be finite and not all zeros.")
    table = project(matrix, backbone.embedding_dim, seed)
    if scale != "own":
        if not isinstance(scale, numbers.Real) or not 0 < scale < math.inf:
            raise BertEmbedError(f"`scale` must be 'own' or positive. Received: {scale!r}.")
        table *= scale / table.std()
    backbone.token_embedding.embeddings.assign(table)
    if balance:
        if backbone.token_projection is not None:
            table = table @ np.asarray(backbone.token_projection.kernel)
        _raise_other_tables(backbone, table.std())
