"""Vectors of pieces from the n-grams of fastText vectors."""

import numpy as np
from gensim.models.fasttext_inner import compute_ngrams, ft_hash_bytes

from tf_bertembed.vectors import wordpiece
from tf_bertembed.vectors.alignment.composition import Made

# fastText writes a word as "<word>", so that n-grams tell where it begins and ends.
START = "<"


def mean_of_ngrams(material, rows):
    """The mean of the n-grams of the piece's letters; one with `##` does not begin a word.

    References:
        - [Bojanowski et al., 2017](https://aclanthology.org/Q17-1010/).
    """
    keyed = material.keyed_vectors
    made, vectors = [], []
    for row in rows:
        piece = material.vocabulary[row]
        letters = piece.removeprefix(wordpiece.CONTINUATION)
        grams = compute_ngrams(letters, keyed.min_n, keyed.max_n)
        if letters != piece:
            grams = [gram for gram in grams if not gram.startswith(START)]
        if grams:
            places = [ft_hash_bytes(gram.encode()) % keyed.bucket for gram in grams]
            made.append(row)
            vectors.append(keyed.vectors_ngrams[places].mean(axis=0))
    width = keyed.vector_size
    return Made(np.array(made, np.int64), np.array(vectors).reshape(-1, width), [""] * len(made))
