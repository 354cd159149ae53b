"""Rows that are sent in several requests, and answered as if by one."""

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.serving.client_arrays import nothing
from tf_bertembed.serving.client_calls import UnexpectedAnswerError
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.joined_parts import join_parts, text_lengths


def answer_in_parts(columns, most, ask, outputs, fillers):
    """Ask for the answers to rows, some at a time.

    Args:
        columns: dict from names to arrays of as many rows.
        most: int. The most rows of a request.
        ask: callable from columns to a dict of arrays.
        outputs: dict from names to specs, as `Client.metadata` gives it.
        fillers: dict. As for `join_parts`.

    Returns:
        A dict from the names of outputs to arrays.

    Raises:
        ServingError: where an answer fails, or has other rows or outputs.
        BertEmbedError: where answers cannot be put together.
    """
    rows = len(next(iter(columns.values())))
    if not rows:
        return {name: nothing(spec) for name, spec in outputs.items()}

    def answer(places):
        arrays = ask({name: column[places] for name, column in columns.items()})
        for name, array in arrays.items():
            if array.shape[:1] != (len(places),):
                raise ServingError(
                    "INTERNAL", f"The output `{name}` has not one row for each of the input's."
                )
        return arrays

    order = np.arange(rows)
    parts = [
        (places, answer(places))
        for places in (order[start : start + most] for start in range(0, rows, most))
    ]
    if len(parts) == 1:
        return parts[0][1]
    ranks = [{name: array.ndim for name, array in arrays.items()} for _, arrays in parts]
    if any(other != ranks[0] for other in ranks):
        raise UnexpectedAnswerError("parts of one shape", ranks)
    joined = join_parts(parts, text_lengths(columns), answer, fillers)
    if joined is None:
        raise BertEmbedError(
            "The answers to parts of the rows differ in width, and the model does not show what "
            f"it fills them up with. Ask for all in one request: `batch_size` of at least {rows}. "
            f"Received: {most}."
        )
    return joined
