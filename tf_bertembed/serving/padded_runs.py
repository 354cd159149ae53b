"""Requests whose answers are as wide as their longest text, run in parts."""

import numpy as np

from tf_bertembed.serving.errors import ServingError

# Rows times the longest text: what the answer and the attention of a run grow with.
MOST_PADDED = 16 * 2**20
# What is asked to learn how a signature fills up: nothing, beside something.
SHORT, LONG = b"", b"one two three four five six seven eight"


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


def find_fillers(compute, names, wide):
    """Ask a signature what it puts behind the answers to shorter texts.

    Args:
        compute: callable from inputs to outputs, dicts of arrays.
        names: collection of strings. Its inputs, all texts.
        wide: collection of strings. Its outputs that grow with the texts.

    Returns:
        A dict from the names of outputs to values; `None` where the
        signature does not show it.
    """
    try:
        alone = compute({name: _texts(SHORT) for name in names})
        beside = compute({name: _texts(LONG, SHORT) for name in names})
    except ServingError:
        return None
    fillers = {}
    for name in wide:
        short, filled = alone[name], beside[name]
        if short.shape[:1] != (1,) or filled.shape[:1] != (2,):
            return None
        fillers[name] = _filler(short.shape[1:], filled[1])
        if fillers[name] is None:
            return None
    return fillers


def run_in_parts(compute, inputs, most, fillers, over):
    """Answer a request a few rows at a time.

    Args:
        compute: callable from inputs to outputs, dicts of arrays.
        inputs: dict from names to arrays of as many rows.
        most: int. The most rows of a part.
        fillers: dict from the names of outputs to what is put behind the
            answers to shorter texts.
        over: callable that tells whether nobody waits for the answer.

    Returns:
        A dict from the names of outputs to arrays; `None` once nobody waits.
    """
    rows = len(next(iter(inputs.values())))
    # Those of like length together, so that little is computed for padding.
    lengths = np.sum([[len(text) for text in texts] for texts in inputs.values()], axis=0)
    order = np.argsort(lengths, kind="stable")
    parts = []
    for start in range(0, rows, most):
        if over():
            return None
        places = order[start : start + most]
        parts.append((places, compute({name: texts[places] for name, texts in inputs.items()})))
    return {name: _join(name, rows, parts, fillers.get(name)) for name in parts[0][1]}


def _join(name, rows, parts, filler):
    arrays = [answers[name] for _, answers in parts]
    for (places, _), array in zip(parts, arrays, strict=True):
        if array.shape[:1] != (len(places),):
            raise ServingError(
                "FAILED_PRECONDITION",
                f"An answer to each of {len(places)} rows was expected. Received: {name} "
                f"{list(array.shape)}",
            )
    widest = tuple(np.max([array.shape[1:] for array in arrays], axis=0).astype(int))
    joined = np.empty((rows, *widest), arrays[0].dtype)
    if any(array.shape[1:] != widest for array in arrays):
        joined[...] = filler
    for (places, _), array in zip(parts, arrays, strict=True):
        joined[(places, *map(slice, array.shape[1:]))] = array
    return joined


def _filler(short, filled):
    """The value in all places that no answer to a short text reaches."""
    beyond = np.ones(filled.shape, bool)
    beyond[tuple(map(slice, short))] = False
    values = filled[beyond]
    return values[0] if len(values) and (values == values[0]).all() else None


def _texts(*texts):
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
