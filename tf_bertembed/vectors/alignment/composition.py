"""Vectors for the pieces that are no word, made of the words that hold them."""

import dataclasses
import functools

import numpy as np
from scipy import sparse

from tf_bertembed.vectors import wordpiece


@dataclasses.dataclass
class Material:
    """What the vectors of pieces can be made of.

    Args:
        keyed_vectors: `KeyedVectors`. The word vectors, W of width S.
        vocabulary: list of V strings. The pieces.
        weights: float array `[W]`. How often each word occurs.
        matrix: float32 array `[V, S]`. The rows of pieces; right where known.
        known: bool array `[V]`. Which pieces are themselves words.
        texts: iterable of strings. A corpus; `None` where there is none.
    """

    keyed_vectors: object
    vocabulary: list
    weights: np.ndarray
    matrix: np.ndarray
    known: np.ndarray
    texts: object = None

    @property
    def words(self):
        """List of W strings."""
        return self.keyed_vectors.index_to_key

    @functools.cached_property
    def vectors(self):
        """Float32 array `[W, S]`."""
        return np.asarray(self.keyed_vectors.vectors, np.float32)

    @functools.cached_property
    def cutter(self):
        """Cuts words into the pieces of the vocabulary."""
        return wordpiece.Cutter(self.vocabulary)

    @functools.cached_property
    def segments(self):
        """How often each piece occurs in each word, sparse `[W, V]`."""
        return self.cutter.segmentation(self.words)


@dataclasses.dataclass
class Made:
    """Vectors that were made for some of the rows asked for.

    Args:
        rows: int array `[N]`. The rows of the pieces.
        vectors: array `[N, S]`. Their vectors.
        sources: list of N strings. What most of each comes from.
    """

    rows: np.ndarray
    vectors: np.ndarray
    sources: list


def mean_of_words(material, rows):
    """The mean of the words whose segmentation holds the piece, weighted by frequency."""
    # A word counts once, however often it holds the piece.
    holds = (material.segments[:, rows] > 0).astype(np.float64)
    return weighted_mean(
        rows, sparse.diags_array(material.weights) @ holds, material.vectors, material.words
    )


def mean_by_letters(material, rows):
    """The word that a piece is without its `##`, or the mean of those that have its letters."""
    letters = [
        wordpiece.normalise(material.vocabulary[row].removeprefix(wordpiece.CONTINUATION))
        for row in rows
    ]
    normalised = [wordpiece.normalise(word) for word in material.words]
    # "##中" and "##!" come in no segmentation; the word 中 says most about them.
    asked = set(letters)
    whole = {}
    for index, word in enumerate(normalised):
        if word in asked and word not in whole:
            whole[word] = [index]
    found = wordpiece.words_by_letters(normalised, asked - whole.keys()) | whole
    columns = [found.get(text, []) for text in letters]
    ends = np.cumsum([0, *map(len, columns)])
    words = np.concatenate([*columns, []]).astype(np.int64)
    shares = sparse.csc_array(
        (material.weights[words], words, ends), shape=(len(normalised), len(rows))
    )
    return weighted_mean(rows, shares, material.vectors, material.words)


def weighted_mean(rows, weights, vectors, names):
    """Means of vectors.

    Args:
        rows: int array `[N]`. The rows that means are for.
        weights: sparse array `[M, N]`. The weight of each vector in each mean.
        vectors: array `[M, S]`. The vectors.
        names: list of M strings. What they are the vectors of.

    Returns:
        `Made`, of the rows that any vector has a weight for.
    """
    totals = weights.sum(axis=0)
    found = np.flatnonzero(totals > 0)
    shares = sparse.csc_array(weights[:, found]) @ sparse.diags_array(1 / totals[found])
    heaviest = np.asarray(shares.argmax(axis=0)).ravel() if found.size else []
    return Made(
        np.asarray(rows)[found],
        shares.T.astype(np.float32) @ vectors,
        [names[index] for index in heaviest],
    )


def at_usual_length(material, rows):
    """The mean of words, as long as the vectors of pieces that are words usually are.

    A mean of many words is shorter than they are, so its piece would count for
    less beside others.
    """
    made = mean_of_words(material, rows)
    lengths = np.linalg.norm(made.vectors, axis=1, keepdims=True)
    if material.known.any():
        usual = np.median(np.linalg.norm(material.matrix[material.known], axis=1))
        made.vectors = made.vectors * np.divide(
            usual, lengths, out=np.ones_like(lengths), where=lengths > 0
        )
    return made
