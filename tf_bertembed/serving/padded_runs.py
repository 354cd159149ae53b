"""Requests whose answers are as wide as their longest text, run in parts."""

import numpy as np

from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.joined_parts import join_parts, text_lengths

# Rows times the longest text: what the answer and the attention of a run grow with.
MOST_PADDED = 16 * 2**20


def check_width(inputs):
    """Refuse a request of texts whose answer would not fit into memory.

    Args:
        inputs: dict from names to object arrays of bytes.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    rows = max(array.size for array in inputs.values())
    longest = sum(max(map(len, array.flat), default=0) for array in inputs.values())
    if rows * longest > MOST_PADDED:
        raise ServingError(
            "INVALID_ARGUMENT",
            "Each row of the answer is as wide as that of the longest text: "
            f"{rows} rows x {longest} bytes = {rows * longest}; this server takes at most "
            f"{MOST_PADDED}. Send it in parts, or the long texts by themselves.",
        )


def run_in_parts(compute, inputs, most, fillers, over):
    """Answer a request a few rows at a time.

    Args:
        compute: callable from inputs to outputs, dicts of arrays.
        inputs: dict from names to arrays of as many rows, all texts.
        most: int. The most rows of a part.
        fillers: dict. As for `join_parts`.
        over: callable that tells whether nobody waits for the answer.

    Returns:
        A dict from the names of outputs to arrays; `None` once nobody waits.
    """

    def answer(places):
        answers = compute({name: texts[places] for name, texts in inputs.items()})
        for name, array in answers.items():
            if array.shape[:1] != (len(places),):
                raise ServingError(
                    "FAILED_PRECONDITION",
                    f"An answer to each of {len(places)} rows was expected. Received: {name} "
                    f"{list(array.shape)}",
                )
        return answers

    lengths = text_lengths(inputs)
    # Those of like length together, so that little is computed for padding.
    order = np.argsort(lengths, kind="stable")
    parts = []
    for start in range(0, len(order), most):
        if over():
            return None
        places = order[start : start + most]
        parts.append((places, answer(places)))
    joined = join_parts(parts, lengths, answer, fillers)
    return compute(inputs) if joined is None else joined
