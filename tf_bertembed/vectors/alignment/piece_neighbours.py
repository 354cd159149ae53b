"""Vectors of pieces from the pieces that stand beside them."""

import functools

import numpy as np
from scipy import sparse

from tf_bertembed.vectors.alignment.composition import weighted_mean

WINDOW = 5
# The more frequent a neighbour, the less it says: Arora et al., 2017,
# https://openreview.net/forum?id=SyK00v5xx
SMOOTHING = 1e-4


def mean_of_neighbours(material, rows):
    """The mean of the pieces that stand beside the piece and are words.

    In a corpus, those at most five pieces away on the same line, the nearer
    and the rarer the more; without one, the other pieces of the words that
    hold it, weighted by their frequency.
    """
    known = np.flatnonzero(material.known)
    beside = _in_words(material) if material.texts is None else _in_texts(material)
    names = [material.vocabulary[row] for row in known]
    return weighted_mean(rows, beside[known][:, rows], material.matrix[known], names)


def _in_words(material):
    holds = (material.segments > 0).astype(np.float64)
    return holds.T @ sparse.diags_array(material.weights) @ holds


def _in_texts(material):
    cut = functools.lru_cache(maxsize=None)(material.cutter.cut_word)
    pieces, ends = [], [0]
    for text in material.texts:
        for word in text.split():
            pieces += cut(word)
        ends.append(len(pieces))
    pieces = np.array(pieces, np.int64)
    line = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    size = len(material.vocabulary)
    beside = sparse.csr_array((size, size))
    for distance in range(1, WINDOW + 1):
        left, right = pieces[:-distance], pieces[distance:]
        same = line[:-distance] == line[distance:]
        pairs = np.full(same.sum(), 1 / distance), (left[same], right[same])
        beside += sparse.coo_array(pairs, shape=(size, size)).tocsr()
    rates = np.bincount(pieces, minlength=size) / max(len(pieces), 1)
    return sparse.diags_array(SMOOTHING / (SMOOTHING + rates)) @ (beside + beside.T)
