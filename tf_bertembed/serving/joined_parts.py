"""Answers to parts of the rows, put together as one request would have given them."""

import numpy as np


def text_lengths(inputs):
    """Measure how long the texts of each row are, all inputs together.

    Args:
        inputs: dict from names to arrays of as many rows; numbers have no
            length.

    Returns:
        An int array `[N]`.
    """
    rows = len(next(iter(inputs.values())))
    lengths = np.zeros(rows, np.int64)
    for column in inputs.values():
        if column.dtype == object:
            lengths += np.fromiter(map(len, column), np.int64, rows)
    return lengths


def join_parts(parts, lengths, ask, fillers):
    """Put answers together, the narrower ones filled up as the model fills them.

    An output that is as wide as its longest row is filled up behind the
    others: with 0, -1 or `""`, which its name and type do not tell. So a row
    of the narrowest part is asked for beside one of the widest.

    Args:
        parts: list of pairs of an int array, the places of rows, and a dict
            from names to arrays, the answers to them; the same names and
            ranks in each.
        lengths: int array `[N]`. As `text_lengths` gives it.
        ask: callable from an int array of places to the answers to these
            rows together.
        fillers: dict from names of outputs to what they are filled up with.
            What is learned is added.

    Returns:
        A dict from names to arrays; `None` where the model does not show
        what it fills up with.
    """
    joined = {}
    for name in parts[0][1]:
        found = [(places, answers[name]) for places, answers in parts]
        widest = tuple(np.max([array.shape[1:] for _, array in found], axis=0).astype(int))
        whole = np.empty((len(lengths), *widest), found[0][1].dtype)
        if any(array.shape[1:] != widest for _, array in found):
            if name not in fillers:
                filler = _learn(name, found, lengths, ask)
                if filler is None:
                    return None
                fillers[name] = filler
            whole[...] = fillers[name]
        for places, array in found:
            whole[(places, *map(slice, array.shape[1:]))] = array
        joined[name] = whole
    return joined


def _learn(name, found, lengths, ask):
    def width(part):
        return part[1].shape[1:]

    (narrow, *_), answers = min(found, key=width)
    wide, _ = max(found, key=width)
    # The longest text has the widest answer, but for models that look at more than that.
    for beside in (wide[[np.argmax(lengths[wide])]], wide):
        filler = filler_of(answers[0], ask(np.append(beside, narrow))[name][-1])
        if filler is not None:
            return filler
    return None


def filler_of(short, filled):
    """Find the value in all places that an answer to a shorter text does not reach.

    Args:
        short: array. The answer by itself.
        filled: array of the same rank. The same answer beside a wider one.

    Returns:
        A value; `None` where it does not show, since `filled` is no wider or
        is another answer.
    """
    beyond = np.ones(filled.shape, bool)
    inside = tuple(map(slice, short.shape))
    beyond[inside] = False
    values = filled[beyond]
    if not len(values) or (values != values[0]).any() or filled[inside].shape != short.shape:
        return None
    if short.dtype.kind == "f":
        # Padding moves the last digits.
        same = np.allclose(filled[inside], short, rtol=1e-3, atol=1e-5, equal_nan=True)
    else:
        same = np.array_equal(filled[inside], short)
    return values[0] if same else None
