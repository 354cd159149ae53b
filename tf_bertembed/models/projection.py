"""Vectors are brought to another width."""

import numpy as np

from tf_bertembed.common import BertEmbedError, check_at_least

METHODS = ("orthogonal", "pca")


def _orthogonal_rows(rows, columns, seed):
    # The Q factor of a Gaussian matrix, its signs fixed, is uniform over the
    # orthogonal matrices (Mezzadri, 2007, https://arxiv.org/abs/math-ph/0609050).
    gaussian = np.random.default_rng(seed).normal(size=(columns, rows))
    q, r = np.linalg.qr(gaussian)
    return (q * np.sign(np.diag(r))).T


def _random_map(old, new, seed):
    if new >= old:
        return _orthogonal_rows(old, new, seed)
    # What is left of a distance is, on average, the share of the dimensions that is left.
    return _orthogonal_rows(new, old, seed).T * np.sqrt(old / new)


def _principal_map(matrix, width):
    centred = matrix - matrix.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    directions = directions[:, ::-1][:, :width]
    return np.pad(directions, ((0, 0), (0, width - directions.shape[1])))


def project(matrix, width, seed=0, method=None):
    """Bring vectors to another width, keeping the distances between them.

    An orthogonal map, drawn at random, keeps every distance where the width
    grows or stays; where it shrinks, it keeps squared distances on average.
    The principal components keep every distance where the width grows or
    stays; where it shrinks, no distance grows, and their squares together
    lose as little as by any projection.

    Args:
        matrix: array of shape `[V, S]`, float.
        width: int. The width wanted.
        seed: int. Chooses the orthogonal map.
        method: `"orthogonal"`, `"pca"`, or `None` for the orthogonal map to a
            larger width, the principal components to a smaller one, and the
            vectors as they are to their own.

    Returns:
        An array of shape `[V, width]`, float32. Rows of zeros stay zeros.

    Raises:
        BertEmbedError: where the matrix is no matrix, or the width or the
            method makes no sense.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models

    vectors = np.random.default_rng(0).normal(size=(5, 3))
    for method in ("orthogonal", "pca"):
        wider = models.project(vectors, 8, method=method)
        assert np.allclose(wider @ wider.T, vectors @ vectors.T, atol=1e-5)
    ```

    References:
        - [Johnson and Lindenstrauss, 1984](https://doi.org/10.1090/conm/026/737400): how well a
          random projection keeps distances.
    """
    matrix = np.asarray(matrix, "float64")
    if matrix.ndim != 2 or not matrix.size:
        raise BertEmbedError(
            f"`matrix` must have the shape [V, S], a row a vector. Received shape: {matrix.shape}."
        )
    check_at_least(1, width=width)
    if method is not None and method not in METHODS:
        raise BertEmbedError(
            f"`method` must be one of {', '.join(map(repr, METHODS))}, or None. "
            f"Received: {method!r}."
        )
    old = matrix.shape[1]
    if method is None and width != old:
        method = "orthogonal" if width > old else "pca"
    if method == "orthogonal":
        matrix = matrix @ _random_map(old, width, seed)
    elif method == "pca":
        matrix = matrix @ _principal_map(matrix, width)
    return matrix.astype("float32")
