"""Whether a user's input is one sequence of texts."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.text.surrogates import half_pair


def check_texts(x, of=""):
    """Check that the input is one sequence of strings.

    Args:
        x: list, array or pandas series of strings, `[N]`.
        of: string. What to call the input in messages, where there are
            several.

    Returns:
        A list of strings.

    Raises:
        BertEmbedError: where `x` is one string, has more than one column, or
            holds something that is no text (the message says where).
    """
    of = of and f" of {of}"
    if isinstance(x, (str, bytes)):
        raise common.BertEmbedError(
            f"A sequence of texts was expected{of}, not one text. Pass [text]. "
            f"Received: {x[:40]!r}."
        )
    array = np.asarray(x, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise common.BertEmbedError(
            f"One text a row was expected{of}: shape (N,). Received: shape {array.shape}. "
            "Choose a column, in scikit-learn for example with ColumnTransformer."
        )
    for row, text in enumerate(array):
        if not isinstance(text, str):
            raise common.BertEmbedError(
                f"Row {row}{of} holds {text!r} ({type(text).__name__}); a string was expected."
            )
        half = half_pair(text)
        if half is not None:
            raise common.BertEmbedError(f"Row {row}{of} holds {half}. Received: {text[:40]!r}.")
    return array.tolist()
