"""What is common to all word vectors is taken away; lengths are set."""

import numbers

import numpy as np
from gensim.models import KeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.checks import as_matrix, check_keyed_vectors
from tf_bertembed.vectors.keyed_vectors import with_vectors

ROWS_AT_ONCE = 1 << 16


def postprocess(vectors, remove_mean=True, remove_components=0, scale=None):
    """Take what all vectors share away from them, and rescale them.

    The mean of word vectors and their few first principal components are much
    the same in every word, and hold little but its frequency. Rows of zeros
    ("no word", `[PAD]`) count for nothing and stay zeros.

    Args:
        vectors: `gensim.models.KeyedVectors`, or an array of shape `[N, S]`.
            They are left as they are.
        remove_mean: bool. Whether to take away the mean.
        remove_components: int. How many principal components to take away,
            fewer than S; S / 100 is usual.
        scale: float, `"unit"`, or `None`. A number multiplies all vectors
            alike, so that it is the standard deviation of their numbers;
            `"unit"` gives each the length 1; `None` leaves lengths as they
            are.

    Returns:
        A `gensim.models.KeyedVectors` with the same words, without n-grams; or
        a float32 array `[N, S]`.

    Raises:
        BertEmbedError: where the vectors are not finite, the number of
            components or the scale makes no sense, or all rows are zeros.

    Example:

    ```python
    import numpy as np
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    cleaned = vectors.postprocess(glove, remove_components=1, scale="unit")
    assert cleaned.index_to_key == glove.index_to_key
    assert np.allclose(np.linalg.norm(cleaned.vectors, axis=1), 1, atol=1e-5)
    ```

    References:
        - [Mu and Viswanath, 2018](https://openreview.net/forum?id=HkuGJ3kCb): all but the top.
    """
    if isinstance(vectors, KeyedVectors):
        check_keyed_vectors(vectors)
        return with_vectors(
            vectors, postprocess(vectors.vectors, remove_mean, remove_components, scale)
        )
    matrix = as_matrix(vectors, "vectors", np.float32)
    width = matrix.shape[1]
    if not common.is_whole(remove_components) or not 0 <= remove_components < width:
        raise common.BertEmbedError(
            f"`remove_components` must be an int from 0, and below the width {width}. "
            f"Received: {remove_components!r}."
        )
    number = isinstance(scale, numbers.Real) and not isinstance(scale, bool)
    if not (scale is None or scale == "unit" or (number and 0 < scale < np.inf)):
        raise common.BertEmbedError(
            f"`scale` must be a number above 0, 'unit' or None. Received: {scale!r}."
        )
    some = matrix.any(axis=1, keepdims=True)
    if not some.any():
        raise common.BertEmbedError("`vectors` are all zeros: there is nothing to process.")
    mean, covariance = _moments(matrix, some.sum())
    found = matrix - mean.astype(np.float32) * some if remove_mean else matrix.copy()
    if remove_components:
        _, directions = np.linalg.eigh(covariance)
        top = directions[:, width - remove_components :].astype(np.float32)
        found -= (found @ top) @ top.T
    if scale == "unit":
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        # What was nothing but the common part is zeros now, and has no direction.
        np.divide(found, lengths, out=found, where=lengths > 0)
    elif scale is not None:
        deviation = _deviation(found, some.sum() * width)
        found *= np.float32(scale / deviation if deviation else 1)
    return found


def _moments(matrix, count):
    """Mean and covariance of the rows that are not zeros, in float64 without such a copy."""
    width = matrix.shape[1]
    total, products = np.zeros(width), np.zeros((width, width))
    for first in range(0, len(matrix), ROWS_AT_ONCE):
        part = matrix[first : first + ROWS_AT_ONCE].astype(np.float64)
        total += part.sum(axis=0)
        products += part.T @ part
    mean = total / count
    return mean, products / count - np.outer(mean, mean)


def _deviation(matrix, count):
    """Standard deviation of the numbers of the rows that are not zeros, without a copy either."""
    mean = matrix.sum(dtype=np.float64) / count
    squares = np.einsum("ij,ij->", matrix, matrix, dtype=np.float64) / count
    # What is left of equal numbers is rounding.
    return np.sqrt(squares - mean**2) if squares - mean**2 > 1e-12 * squares else 0.0
