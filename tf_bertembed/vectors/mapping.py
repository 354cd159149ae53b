"""A linear map from one vector space into another, learned on what both hold."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.checks import as_matrix, check_keyed_vectors, check_pieces
from tf_bertembed.vectors.keyed_vectors import with_vectors


def fit_map(source, target, orthogonal=False):
    """Learn a linear map from vectors to the vectors that they stand for.

    By least squares it may stretch and turn; an orthogonal map only turns, so
    lengths and distances stay, which is kinder where few pairs are known.

    Args:
        source: array of shape `[N, S]`. One vector a row.
        target: array of shape `[N, R]`. What each row of `source` should
            become.
        orthogonal: bool. Whether the map must keep lengths and distances.
            Possible where R is at least S.

    Returns:
        A float32 array `[S, R]`, for which `source @ map` is as near to
        `target` as can be (least sum of squares).

    Raises:
        BertEmbedError: where the shapes do not fit, there are fewer pairs than
            S (the map would not be determined), or a number is not finite.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import vectors

    source = np.random.default_rng(0).normal(size=(20, 3))
    turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert np.allclose(vectors.fit_map(source, source @ turn, orthogonal=True), turn)
    assert np.allclose(vectors.fit_map(source, source @ turn * 2), turn * 2, atol=1e-6)
    ```

    References:
        - [Poerner et al., 2020](https://aclanthology.org/2020.findings-emnlp.71/), E-BERT: least
          squares into the space of BERT's pieces.
        - [Schönemann, 1966](https://doi.org/10.1007/BF02289451): the orthogonal map.
    """
    source, target = as_matrix(source, "source"), as_matrix(target, "target")
    if len(source) != len(target):
        raise common.BertEmbedError(
            "`source` and `target` must have a row for each pair. "
            f"Received: {len(source)} and {len(target)} rows."
        )
    width = source.shape[1]
    if len(source) < width:
        raise common.BertEmbedError(
            f"{len(source)} pairs do not determine a map of vectors of width {width}: at least "
            f"{width} are needed, several times as many are better."
        )
    if not orthogonal:
        return np.linalg.lstsq(source, target, rcond=None)[0].astype(np.float32)
    if target.shape[1] < width:
        raise common.BertEmbedError(
            "No orthogonal map leads to fewer dimensions. Pass `orthogonal=False`, or map from "
            f"`target` to `source`. Received: from {width} to {target.shape[1]}."
        )
    left, _, right = np.linalg.svd(source.T @ target, full_matrices=False)
    return (left @ right).astype(np.float32)


def map_to_table(keyed_vectors, table, vocabulary, orthogonal=False):
    """Bring word vectors into the space of a pretrained token table.

    The map is learned on the words that are pieces of the vocabulary, and
    applied to all words. Words that are no piece can then stand in the table:
    align the result to a new vocabulary, or start added rows from it.

    Args:
        keyed_vectors: `gensim.models.KeyedVectors`. The word vectors, W of
            width S.
        table: array of shape `[V, R]`. The token table.
        vocabulary: list of V strings. The pieces, in the order of its rows.
        orthogonal: bool. As for `fit_map`.

    Returns:
        A `gensim.models.KeyedVectors` with the same words in the same order,
        vectors of width R, without n-grams.

    Raises:
        BertEmbedError: where the table does not fit the vocabulary, fewer than
            S words are pieces, or a number is not finite.

    Example:

    ```python
    import numpy as np
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    vocabulary = ["[PAD]", *glove.index_to_key[:60], "##ing"]
    table = np.random.default_rng(0).normal(size=(62, 8))
    mapped = vectors.map_to_table(glove, table, vocabulary)
    assert len(mapped) == len(glove) and mapped.vector_size == 8
    ```

    References:
        - [Poerner et al., 2020](https://aclanthology.org/2020.findings-emnlp.71/), E-BERT.
    """
    check_keyed_vectors(keyed_vectors)
    table = as_matrix(table, "table")
    vocabulary = check_pieces(vocabulary, "vocabulary")
    if len(table) != len(vocabulary):
        raise common.BertEmbedError(
            f"`table` must have a row for each of the {len(vocabulary)} pieces. "
            f"Received: {len(table)} rows."
        )
    row_of = keyed_vectors.key_to_index
    shared = [(row_of[piece], row) for row, piece in enumerate(vocabulary) if piece in row_of]
    width = keyed_vectors.vector_size
    if len(shared) < width:
        raise common.BertEmbedError(
            f"Only {len(shared)} of the {len(vocabulary)} pieces are words with a vector; to learn "
            f"a map of vectors of width {width}, at least {width} must be. Are vectors and "
            "vocabulary of one language, and in the same case?"
        )
    words, rows = np.array(shared).T
    fitted = fit_map(keyed_vectors.vectors[words], table[rows], orthogonal)
    return with_vectors(keyed_vectors, np.asarray(keyed_vectors.vectors, np.float32) @ fitted)
