"""gensim's `KeyedVectors`: put together, given other vectors, asked for n-grams."""

import numpy as np
from gensim.models import KeyedVectors
from gensim.models.fasttext import FastTextKeyedVectors


def make_keyed_vectors(words, matrix, rows=None, counts=None):
    """Put words and their vectors together, without a copy and without a look at each.

    Args:
        words: list of W strings, no two the same.
        matrix: float32 array of shape [W, S].
        rows: dict from each word to its row; made where it is `None`.
        counts: list of W ints. How often each word was seen, gensim's
            attribute `count`; `None` where that is not known.

    Returns:
        `KeyedVectors`.
    """
    found = KeyedVectors(matrix.shape[1])
    set_words(found, words, rows)
    found.vectors = matrix
    if counts is not None:
        found.expandos["count"] = np.asarray(counts)
    return found


def set_words(keyed_vectors, words, rows=None):
    """Give empty `KeyedVectors` their words, as for `make_keyed_vectors`."""
    keyed_vectors.index_to_key = words
    if rows is None:
        rows = dict(zip(words, range(len(words)), strict=True))
    keyed_vectors.key_to_index = rows
    keyed_vectors.next_index = len(words)


def with_vectors(keyed_vectors, matrix):
    """Give the same words, and what is known of them, other vectors.

    Args:
        keyed_vectors: `KeyedVectors`. They are left as they are.
        matrix: float32 array of shape `[W, R]`.

    Returns:
        `KeyedVectors`, never with n-grams.
    """
    found = make_keyed_vectors(list(keyed_vectors.index_to_key), matrix)
    for name, values in keyed_vectors.expandos.items():
        found.expandos[name] = values.copy()
    return found


def has_ngrams(keyed_vectors):
    """Whether there is a vector for any word, made of its n-grams."""
    return isinstance(keyed_vectors, FastTextKeyedVectors) and keyed_vectors.bucket > 0
