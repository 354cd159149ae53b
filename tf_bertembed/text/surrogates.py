"""Halves of surrogate pairs: JSON can write one (`"\\ud83d"`), UTF-8 cannot."""


def half_pair(value):
    """Find half of a surrogate pair in a string.

    Args:
        value: string.

    Returns:
        A string for an error, with the place, counted from 1; `None` where
        there is none.
    """
    if value.isascii():
        return None
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return (
            f"half of a surrogate pair, {value[error.start]!r} at character {error.start + 1}, "
            "which UTF-8 cannot hold"
        )
    return None
