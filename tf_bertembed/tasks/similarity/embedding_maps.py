"""Linear maps that make cosines of embeddings tell more, learned from embeddings alone."""

import numpy as np

from tf_bertembed.common import BertEmbedError, is_whole

# Directions with less than this of the largest one's variance are rounding.
FLAT = 1e-7


def whitening(embeddings, dimensions=None):
    """Find the map that makes dimensions independent, of mean 0 and variance 1.

    Args:
        embeddings: array `[N, D]`, float.
        dimensions: int. The directions of most variance to keep; `None` for
            all.

    Returns:
        A pair of float32 arrays, matrix `[D, k]` and bias `[k]`.

    Raises:
        BertEmbedError: where the embeddings vary in fewer than `dimensions`
            directions.

    References:
        Su et al., 2021, https://arxiv.org/abs/2103.15316
    """
    embeddings = _checked(embeddings)
    width = embeddings.shape[1]
    dimensions = width if dimensions is None else dimensions
    if not is_whole(dimensions) or not 1 <= dimensions <= width:
        raise BertEmbedError(
            f"`dimensions` must be an int from 1 to the width {width}. Received: {dimensions!r}."
        )
    mean = embeddings.mean(axis=0)
    centred = embeddings - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(embeddings))
    variances, directions = variances[::-1][:dimensions], directions[:, ::-1][:, :dimensions]
    found = int(np.count_nonzero(variances > FLAT * max(variances[0], 0)))
    if found < dimensions:
        raise BertEmbedError(
            f"The {len(embeddings)} rows vary in {found} directions only, too few to whiten "
            f"{dimensions} dimensions. Give more rows, or ask for fewer dimensions."
        )
    matrix = directions / np.sqrt(variances)
    return matrix.astype("float32"), (-mean @ matrix).astype("float32")


def component_removal(embeddings, count=1):
    """Find the map that takes away what embeddings share most.

    Their first singular vectors, the mean not taken away before, as in SIF.

    Args:
        embeddings: array `[N, D]`, float.
        count: int. How many directions to take away.

    Returns:
        A pair of float32 arrays, matrix `[D, D]` and bias `[D]` (zeros).

    Raises:
        BertEmbedError: where `count` is less than 1, or not less than D or N.

    References:
        Arora et al., 2017, https://openreview.net/forum?id=SyK00v5xx
    """
    embeddings = _checked(embeddings)
    width = embeddings.shape[1]
    if not is_whole(count) or not 1 <= count < min(width, len(embeddings)):
        raise BertEmbedError(
            "`count` must be an int of at least 1, and less than the width and the number of "
            f"texts. Received: {count!r} for {len(embeddings)} texts and width {width}."
        )
    _, directions = np.linalg.eigh(embeddings.T @ embeddings)
    top = directions[:, width - count :]
    matrix = np.eye(width) - top @ top.T
    return matrix.astype("float32"), np.zeros(width, "float32")


def _checked(embeddings):
    embeddings = np.asarray(embeddings, "float64")
    if len(embeddings) < 2 or not np.isfinite(embeddings).all():
        raise BertEmbedError(
            "Post-processing is learned from two texts or more, with finite embeddings. "
            f"Received: {len(embeddings)} texts."
        )
    return embeddings
