"""Numbers that a user gives to the trainers of word vectors, checked before any work."""

import math
import numbers

from tf_bertembed.common import BertEmbedError, is_whole

MOST = 2**31


def check_whole(**arguments):
    """Stop where a number is not whole, too small, or too large for what gensim counts with.

    Args:
        **arguments: pairs of the value and the smallest that makes sense, by
            the argument's name.

    Raises:
        BertEmbedError: with the name, the value and what would be right.
    """
    for name, (value, least) in arguments.items():
        whole = is_whole(value)
        if not whole or not least <= value < MOST:
            highest = f", below {MOST:,}" if whole and value >= MOST else ""
            raise BertEmbedError(
                f"`{name}` must be an int of at least {least}{highest}. Received: {value!r}."
            )


def check_positive(**arguments):
    """Stop where a number is not finite and above 0.

    Args:
        **arguments: the values by the arguments' names.

    Raises:
        BertEmbedError: with the name and the value.
    """
    for name, value in arguments.items():
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not 0 < value < math.inf:
            raise BertEmbedError(f"`{name}` must be a number above 0. Received: {value!r}.")
