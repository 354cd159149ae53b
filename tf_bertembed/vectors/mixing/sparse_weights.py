"""Few weights for many: each row of one matrix as a mix of the rows of another that are like it."""

import numpy as np
from scipy import sparse

BLOCK = 1024
FIRST_LOOK = 64


def sparsemax(scores):
    """Turn each row of scores into weights of which most are exactly 0.

    The weights are the point of the simplex nearest to the scores: from 0,
    with the sum 1, and 0 wherever a score is far below the best.

    Args:
        scores: array of shape `[N, A]`, float.

    Returns:
        A float64 array of shape `[N, A]`.

    Example:

    ```python
    import numpy as np
    from tf_bertembed.vectors.mixing.sparse_weights import sparsemax

    assert np.allclose(sparsemax([[0.9, 0.7, -0.5]]), [[0.6, 0.4, 0]])
    ```

    References:
        - [Martins and Astudillo, 2016](https://arxiv.org/abs/1602.02068)
    """
    scores = np.asarray(scores, np.float64)
    return np.maximum(scores - _threshold(-np.sort(-scores, axis=1))[:, None], 0.0)


def _threshold(falling):
    """What to take off the scores, sorted from the highest, so that the rest sums to 1."""
    ranks = np.arange(1, falling.shape[1] + 1)
    above = np.cumsum(falling, axis=1) - 1.0
    size = (ranks * falling > above).sum(axis=1)
    return above[np.arange(len(falling)), size - 1] / size


def mix_by_sparsemax(rows, anchors):
    """Weigh anchors by the sparsemax of their cosines with each row.

    Args:
        rows: array of shape `[N, S]`, float.
        anchors: array of shape `[A, S]`, float.

    Returns:
        A `scipy.sparse.csr_matrix` `[N, A]`, float64; each row sums to 1.
    """

    def weigh(cosines):
        size = min(FIRST_LOOK, cosines.shape[1])
        while True:
            best = _largest(cosines, size)
            falling = np.take_along_axis(cosines, best, axis=1).astype(np.float64)
            threshold = _threshold(falling)
            # What was not looked at is below the last that was, and so below the threshold.
            if size == cosines.shape[1] or (falling[:, -1] <= threshold).all():
                return best, np.maximum(falling - threshold[:, None], 0.0)
            size = min(4 * size, cosines.shape[1])

    return _mix(rows, anchors, weigh)


def mix_nearest(rows, anchors, neighbours=10, temperature=0.1):
    """Weigh the nearest anchors of each row by the softmax of their cosines.

    Args:
        rows: array of shape `[N, S]`, float.
        anchors: array of shape `[A, S]`, float.
        neighbours: int. How many anchors to mix, at most.
        temperature: float. What the cosines are divided by.

    Returns:
        A `scipy.sparse.csr_matrix` `[N, A]`, float64; each row sums to 1.
    """

    def weigh(cosines):
        best = _largest(cosines, min(neighbours, cosines.shape[1]))
        falling = np.take_along_axis(cosines, best, axis=1).astype(np.float64)
        weights = np.exp((falling - falling[:, :1]) / temperature)
        return best, weights / weights.sum(axis=1, keepdims=True)

    return _mix(rows, anchors, weigh)


def _largest(cosines, size):
    """The columns of the highest values of each row, from the highest."""
    if size < cosines.shape[1]:
        best = np.argpartition(-cosines, size - 1, axis=1)[:, :size]
    else:
        best = np.broadcast_to(np.arange(size), cosines.shape)
    # Among equals the first column comes first.
    best = np.sort(best, axis=1)
    order = np.argsort(-np.take_along_axis(cosines, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _mix(rows, anchors, weigh):
    rows, anchors = at_length_one(rows), at_length_one(anchors)
    parts = [sparse.csr_matrix((0, len(anchors)))]
    for start in range(0, len(rows), BLOCK):
        columns, weights = weigh(rows[start : start + BLOCK] @ anchors.T)
        count, size = columns.shape
        ends = np.arange(0, count * size + 1, size)
        part = sparse.csr_matrix(
            (weights.ravel(), columns.ravel(), ends), shape=(count, len(anchors))
        )
        part.eliminate_zeros()
        parts.append(part)
    return sparse.vstack(parts, format="csr")


def at_length_one(matrix):
    """The rows of a matrix brought to length 1; rows of zeros stay, all in float32."""
    matrix = np.asarray(matrix, np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
