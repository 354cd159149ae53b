"""Texts and tensors of a client, before they are sent and once they are back."""

import numpy as np

from tf_bertembed.common import BertEmbedError


def to_columns(texts, names):
    """Give each input of a signature its values.

    Args:
        texts: string, list of strings or bytes, or dict from the names of
            inputs to such lists or to arrays.
        names: list of strings. The inputs of the signature.

    Returns:
        A dict from names to NumPy arrays of as many rows.

    Raises:
        BertEmbedError: where inputs are missing, unknown or of other lengths.
    """
    if not isinstance(texts, dict):
        if len(names) != 1:
            raise BertEmbedError(
                f"The signature takes {len(names)} inputs, so a dict of {', '.join(names)} is "
                f"expected. Received: {type(texts).__name__}."
            )
        texts = {names[0]: texts}
    if not names:
        raise BertEmbedError("At least one input is needed. Received: none.")
    if set(texts) != set(names):
        raise BertEmbedError(
            f"The signature takes {', '.join(names)}. Received: {', '.join(map(str, texts))}."
        )
    columns = {name: _to_column(name, texts[name]) for name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BertEmbedError(f"All inputs must have as many rows. Received: {lengths}.")
    return columns


def _to_column(name, values):
    if isinstance(values, (str, bytes)):
        raise BertEmbedError(
            f"A list of texts is expected for `{name}`. Received: one text, {values[:50]!r}. "
            "Put it into a list."
        )
    if isinstance(values, np.ndarray) and values.ndim and values.dtype.kind not in "OUScmM":
        return values
    try:
        values = list(values)
    except TypeError:
        raise BertEmbedError(
            f"A list of texts, or an array, is expected for `{name}`. "
            f"Received: {type(values).__name__}, {values!r:.50}."
        ) from None
    for row, value in enumerate(values):
        _check_text(name, row, value)
    if all(isinstance(value, (str, bytes)) for value in values):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    try:
        column = np.asarray(values)
    except ValueError as error:
        raise BertEmbedError(f"The rows of `{name}` are not all of one shape: {error}") from None
    if column.dtype.kind not in "biuf":
        kinds = ", ".join(sorted({type(value).__name__ for value in values}))
        raise BertEmbedError(f"Texts, or numbers, are expected for `{name}`. Received: {kinds}.")
    return column


def _check_text(name, row, value):
    try:
        if isinstance(value, str):
            value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        half = value[error.start]
        raise BertEmbedError(
            f"Row {row} of `{name}` has half of a surrogate pair at {error.start}, which UTF-8 "
            f"has no bytes for. Received: {half!a}."
        ) from None


def check_texts(columns):
    """Check that columns hold texts alone.

    Args:
        columns: dict from names to arrays.

    Raises:
        BertEmbedError: where one holds numbers.
    """
    for name, column in columns.items():
        if column.dtype != object and len(column):
            raise BertEmbedError(f"Texts are expected for `{name}`. Received: {column.dtype}.")


def to_text(value):
    """A string as Python's users expect it; bytes that are not UTF-8 are escaped.

    Args:
        value: bytes.

    Returns:
        string.
    """
    return value.decode("utf-8", "surrogateescape")


def nothing(spec):
    """What a signature answers to no rows.

    Args:
        spec: dict of `dtype` (string) and `shape` (list), as
            `Client.metadata` gives it.

    Returns:
        A NumPy array of no rows.
    """
    inner = [size or 0 for size in (spec["shape"] or [None])[1:]]
    dtype = object if spec["dtype"] == "string" else spec["dtype"]
    return np.zeros([0, *inner], dtype)
