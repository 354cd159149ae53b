"""The table of word vectors that a model looks up whole words in."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.checks import check_keyed_vectors


def static_table(keyed_vectors, words=None):
    """Make a word-vector table whose row 0 means "no word".

    Args:
        keyed_vectors: `gensim.models.KeyedVectors`. The word vectors, W of
            width S.
        words: iterable of strings. Only these words, in this order; those
            that have no vector, and repeats, are left out. `None` for all
            words in the order of `keyed_vectors`.

    Returns:
        A pair: the list of W words, spelled as in `keyed_vectors`, and a
        float32 array of shape [W + 1, S]. Row 0 is zeros; row `i + 1` is the
        vector of word `i`.

    Raises:
        BertEmbedError: where none of the words has a vector, or one is not
            finite; or where `keyed_vectors` are none, or have no width.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    words, matrix = vectors.static_table(glove, words=["of", "nowhere-land", "the"])
    assert words == ["of", "the"] and matrix.shape == (3, 50)
    assert not matrix[0].any() and (matrix[2] == glove["the"]).all()
    ```
    """
    if isinstance(words, str):
        raise common.BertEmbedError(
            f"`words` must be several strings, a list for example. Received: {words!r}."
        )
    check_keyed_vectors(keyed_vectors, words=[])
    row_of = keyed_vectors.key_to_index
    if words is None:
        found = list(keyed_vectors.index_to_key)
        rows = slice(None)
    else:
        found = [word for word in dict.fromkeys(words) if word in row_of]
        rows = [row_of[word] for word in found]
    if not found:
        raise common.BertEmbedError(
            f"None of the `words` is among the {len(row_of)} words that have a vector."
        )
    check_keyed_vectors(keyed_vectors, None if words is None else found)
    matrix = np.zeros((len(found) + 1, keyed_vectors.vector_size), np.float32)
    matrix[1:] = keyed_vectors.vectors[rows]
    return found, matrix
