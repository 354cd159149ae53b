"""Vectors of pieces whose mean over a word's pieces gives the word's vector back."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from tf_bertembed import common
from tf_bertembed.vectors.alignment.composition import Made, mean_of_words

# With the frequency itself, the fit would be that of a few words.
POWER = 0.25
RIDGE = 0.1
TOLERANCE = 1e-4


def fit_pieces(material, rows, pooling="mean", free=False, power=POWER, ridge=RIDGE):
    """Fit the vectors of pieces to the vectors of the words that they make up.

    Args:
        material: a `Material`.
        rows: int array. The rows of the pieces.
        pooling: `"mean"` or `"sum"`. What of a word's pieces should be its
            vector.
        free: bool. Whether the pieces that are words are fitted too, or stay.
        power: float. A word's error counts as its frequency to this power.
        ridge: float. How many words of average weight pull each piece to the
            mean of the words that hold it.

    Returns:
        `Made`, of the pieces that words are cut into.
    """
    if free:
        rows = np.union1d(rows, np.flatnonzero(material.known))
    first = mean_of_words(material, rows)
    if not len(first.rows):
        return first
    segments = material.segments.astype(np.float64)
    if pooling == "mean":
        segments = sparse.diags_array(1 / np.maximum(segments.sum(axis=1), 1)) @ segments
    parts = sparse.csr_array(segments[:, first.rows])
    used = (np.diff(parts.indptr) > 0) & (material.weights > 0)
    weights = np.zeros(len(used))
    weights[used] = material.weights[used] ** power
    weighted = parts.T @ sparse.diags_array(weights / weights[used].mean())
    start = material.matrix.astype(np.float64)
    start[first.rows] = np.where(
        material.known[first.rows, np.newaxis], start[first.rows], first.vectors
    )
    normal = weighted @ parts + ridge * sparse.eye_array(len(first.rows))
    # Word by word these errors would be a second matrix of the size of all word vectors.
    errors = weighted.astype(np.float32) @ material.vectors - (weighted @ segments) @ start
    change = _solve(sparse.csr_array(normal), errors)
    return Made(first.rows, (start[first.rows] + change).astype(np.float32), first.sources)


def _solve(matrix, targets):
    """Solve for all columns at once, by conjugate gradients scaled by the diagonal."""
    scale = 1 / np.sqrt(matrix.diagonal())[:, np.newaxis]
    operator = linalg.LinearOperator(
        (targets.size, targets.size),
        matvec=lambda flat: (scale * (matrix @ (scale * flat.reshape(targets.shape)))).ravel(),
        dtype=np.float64,
    )
    found, left = linalg.cg(operator, (scale * targets).ravel(), rtol=TOLERANCE)
    if left:
        raise common.BertEmbedError(
            f"The vectors of {len(targets)} pieces could not be fitted in {left} steps. Take "
            "`compose='words'`, or scale the word vectors down."
        )
    return scale * found.reshape(targets.shape)
