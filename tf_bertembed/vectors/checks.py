"""Whether word vectors and matrices are what they should be."""

from collections.abc import Mapping, Set

import numpy as np
from gensim.models import KeyedVectors

from tf_bertembed import common


def check_keyed_vectors(keyed_vectors, words=None):
    """Stop where something is no word vectors, is empty or is not finite.

    Args:
        keyed_vectors: what should be gensim `KeyedVectors`.
        words: list of strings. The words whose vectors matter; `None` for all.

    Raises:
        BertEmbedError: with what was received and, for numbers that are not
            finite, the first word that has them.
    """
    if not isinstance(keyed_vectors, KeyedVectors):
        hint = " Pass the model's `.wv`." if hasattr(keyed_vectors, "wv") else ""
        raise common.BertEmbedError(
            "`keyed_vectors` must be gensim `KeyedVectors`, as `vectors.load` returns them."
            f"{hint} Received: {keyed_vectors!r:.80}."
        )
    if not len(keyed_vectors) or not keyed_vectors.vector_size:
        raise common.BertEmbedError(
            "`keyed_vectors` must hold one word at least, and vectors one number wide at least. "
            f"Received: {len(keyed_vectors)} words of width {keyed_vectors.vector_size}."
        )
    rows = range(len(keyed_vectors))
    matrix = keyed_vectors.vectors
    if words is not None:
        rows = [keyed_vectors.key_to_index[word] for word in words]
        matrix = matrix[rows]
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if bad.size:
        word = keyed_vectors.index_to_key[rows[bad[0]]]
        raise common.BertEmbedError(
            f"The vector of {word!r} is not finite"
            f"{f', and those of {bad.size - 1} more words' if bad.size > 1 else ''}. "
            f"Remove such words or mend their vectors. Received: {matrix[bad[0]]}."
        )


def check_pieces(pieces, name):
    """Give pieces as a list whose places are their ids.

    Args:
        pieces: iterable of strings.
        name: string. What the user calls it.

    Returns:
        A list of strings.

    Raises:
        BertEmbedError: where it is empty, holds anything but strings, or has
            no order that could be that of the ids: a path, a set, a dict.
    """
    if isinstance(pieces, str | Mapping | Set) or not hasattr(pieces, "__iter__"):
        raise common.BertEmbedError(
            f"`{name}` must be a list of pieces, in the order of their ids. "
            f"Received: {pieces!r:.80}."
        )
    pieces = list(pieces)
    strange = [piece for piece in pieces if not isinstance(piece, str)]
    if strange or not pieces:
        raise common.BertEmbedError(
            f"`{name}` must be a list of strings, one at least. "
            f"Received: {strange[0] if strange else pieces!r}."
        )
    return pieces


def as_matrix(values, name, dtype=np.float64):
    """Give an array as a matrix whose numbers are finite.

    Args:
        values: array of shape `[N, S]`.
        name: string. What the user calls it.
        dtype: NumPy type. What the numbers should be.

    Returns:
        An array of that type, the same one where it is of it already.

    Raises:
        BertEmbedError: where it is no matrix of finite numbers, or is empty.
    """
    try:
        matrix = np.asarray(values, dtype)
    except (TypeError, ValueError):
        matrix = None
    if matrix is None or matrix.ndim != 2 or not matrix.size:
        received = f"{values!r:.80}" if matrix is None else f"shape {matrix.shape}"
        raise common.BertEmbedError(
            f"`{name}` must be an array of shape [N, S], a row a vector, with one number at "
            f"least. Received: {received}."
        )
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if bad.size:
        raise common.BertEmbedError(
            f"`{name}` must hold finite numbers. Received: {matrix[bad[0]]} in row {bad[0]}."
        )
    return matrix
