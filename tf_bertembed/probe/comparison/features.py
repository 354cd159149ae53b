"""The features that are compared, each as a matrix of a row a text."""

import numpy as np
from scipy import sparse

from tf_bertembed.probe.comparison.word_counts import TfidfCounts, count_settings

TFIDF, WORDS, SIF = "TF-IDF", "word vectors", "word vectors (SIF)"
BERT, BOTH = "BERT", "BERT + word vectors"
# Features of variance 1 want a stronger penalty than rows of length 1.
DENSE_C = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
SPARSE_C = (1e-1, 1.0, 10.0, 100.0, 1000.0)
# Texts that are encoded and kept in the cache together: what a killed run does again.
WINDOW = 1024


class Features:
    """One row of the comparison.

    Args:
        name: string.
        make: function of the rows for training, whose labels it does not see,
            to a matrix `[N, F]` of all texts.
        depends: bool. Whether these rows change the matrix.
        scale: bool. As for `ProbeClassifier`.
        candidates: tuple of floats, `C` of `ProbeClassifier`.
        about: string. How the features are made.
    """

    def __init__(self, name, make, about, depends=False, scale=True, candidates=DENSE_C):
        self.name = name
        self.about = about
        self.scale = scale
        self.candidates = candidates
        self._make = make
        self._depends = depends
        self._made = None, None

    def matrix(self, pool):
        """The features of all texts, where rows `pool` are there for training."""
        key = pool.tobytes() if self._depends else b""
        if self._made[0] != key:
            self._made = key, self._make(pool)
        return self._made[1]


def pair_features(sides):
    """Join the features of both texts of a pair with what they differ by.

    Args:
        sides: list of one or two matrices `[N, F]`.

    Returns:
        The one matrix, or `[u, v, |u - v|]` `[N, 3F]`.

    References:
        Conneau et al., 2017, https://arxiv.org/abs/1705.02364
    """
    if len(sides) == 1:
        return sides[0]
    first, second = sides
    join = sparse.hstack if sparse.issparse(first) else np.hstack
    return join([first, second, abs(first - second)])


def tfidf_features(data):
    """TF-IDF of words and pairs of words, or of characters."""
    together = [text for side in data.texts for text in side]
    settings = count_settings(together)
    counts = TfidfCounts(together, settings)
    rows = len(data.labels)

    def make(pool):
        # Both texts of a pair are weighed alike.
        whole = np.concatenate([pool + rows * side for side in range(len(data.texts))])
        weighed = counts.weighed_by(whole)
        sides = [weighed[rows * side : rows * (side + 1)] for side in range(len(data.texts))]
        return sparse.csr_matrix(pair_features(sides))

    low, high = settings["ngram_range"]
    unit = "words" if settings["analyzer"] == "word" else "characters"
    about = f"{unit}, {low} to {high} together, in 2 texts or more; logarithmic counts"
    return Features(TFIDF, make, about, depends=True, scale=False, candidates=SPARSE_C)


def word_features(data, vectors, weighting=None):
    """Word vectors: their plain mean, or SIF weights with the first component removed."""
    from tf_bertembed.probe.word_vector_transformer import WordVectorTransformer

    if weighting is None:
        transformer = WordVectorTransformer(vectors).fit([])
        matrix = pair_features([transformer.transform(side) for side in data.texts])
        return Features(WORDS, lambda pool: matrix, f"mean of {vectors}")
    transformer = WordVectorTransformer(vectors, weighting="sif", components_removed=1)

    def make(pool):
        transformer.fit([side[row] for side in data.texts for row in pool])
        return pair_features([transformer.transform(side) for side in data.texts])

    about = f"mean of {vectors} by smooth inverse frequency, first component removed"
    return Features(SIF, make, about, depends=True)


def bert_features(data, path, name=BERT, cache=None, layer=None, sequence_length=None):
    """A model's pooled output, or that of one of its layers."""
    from tf_bertembed.probe.opened_encoder import open_encoder

    encoder = open_encoder(path, sequence_length=sequence_length, layers=layer, cache=cache)
    sides = []
    for texts in data.texts:
        # A window at a time, so that a killed run finds all but the last one in the cache.
        parts = [
            encoder.encode(texts[begin : begin + WINDOW]) for begin in range(0, len(texts), WINDOW)
        ]
        sides.append(np.concatenate(parts))
    matrix = pair_features(sides)
    about = f"pooled output of {path}" if layer is None else f"layer {layer} of {path}, pooled"
    return Features(name, lambda pool: matrix, about)


def joined(name, *parts):
    """Several features side by side; the probe scales each column."""
    return Features(
        name,
        lambda pool: np.hstack([part.matrix(pool) for part in parts]),
        "side by side, each feature scaled",
    )
