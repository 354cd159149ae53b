"""Whole numbers that have a smallest."""

import numbers

from tf_bertembed.common.errors import BertEmbedError


def is_whole(value):
    """Whether something is a whole number, of Python or NumPy; a bool is none.

    Args:
        value: anything.

    Returns:
        A bool.

    Example:

    ```python
    from tf_bertembed import common

    assert common.is_whole(3) and not common.is_whole(True) and not common.is_whole(3.0)
    ```
    """
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_at_least(least, /, **values):
    """Stop where a value is no whole number, or too small.

    Args:
        least: int. The smallest that is right.
        **values: the values by the names of the arguments.

    Raises:
        BertEmbedError: with the name, the value and what would be right.

    Example:

    ```python
    from tf_bertembed import common

    common.check_at_least(1, batch_size=32)
    ```
    """
    for name, value in values.items():
        if not is_whole(value) or value < least:
            raise BertEmbedError(
                f"`{name}` must be an int of at least {least}. Received: {value!r}."
            )


def check_limits(**limits):
    """Stop where a limit is no whole number of at least 1.

    Args:
        **limits: the values by the names of the arguments; `None` for no limit.

    Raises:
        BertEmbedError: as `check_at_least` does.

    Example:

    ```python
    from tf_bertembed import common

    common.check_limits(batch_size=32, max_pieces=None)
    ```
    """
    check_at_least(1, **{name: value for name, value in limits.items() if value is not None})
