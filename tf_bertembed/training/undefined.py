"""Metrics that are no finite numbers, such as the loss of a model whose weights ran away."""

import math


def without_nan(value):
    """What JSON can hold: `None` in place of each number that is none.

    Args:
        value: a number, a string, `None`, or a dict or list of such.

    Returns:
        The same with `None`s.
    """
    if isinstance(value, dict):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
