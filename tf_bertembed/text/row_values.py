"""What a row of a file holds under the names of its columns, judged without stopping the others."""

from tf_bertembed.common import is_whole
from tf_bertembed.text.surrogates import half_pair

SHOWN = 60


def text_problem(name, row):
    """Tell why a row has no text that can be encoded.

    Args:
        name: string. The column of the texts.
        row: dict of strings to anything.

    Returns:
        A string for an error; `None` where nothing is wrong.
    """
    if name not in row:
        return f"The column `{name}` is missing. Received: {_shown(list(row))}."
    value = row[name]
    if value is None:
        return f"`{name}` is null; a string was expected."
    if isinstance(value, bytes):
        # So are strings of Parquet given that are none.
        return f"`{name}` is not UTF-8."
    if not isinstance(value, str):
        return f"`{name}` must be a string. Received: {_shown(value)}."
    return _half_pair(name, value)


def id_problem(name, value):
    """Tell why a value cannot be the id of a row.

    Args:
        name: string. The column of the ids.
        value: anything.

    Returns:
        A string for an error; `None` where nothing is wrong.
    """
    if isinstance(value, str):
        return _half_pair(name, value)
    if not is_whole(value):
        return f"`{name}` must be a string or a whole number. Received: {_shown(value)}."
    return None


def object_problem(row):
    """Tell why what a line of JSON holds is no row.

    Args:
        row: anything.

    Returns:
        A string for an error; `None` where it is a dict.
    """
    if isinstance(row, dict):
        return None
    return f"A JSON object was expected. Received: a {type(row).__name__}."


def _half_pair(name, value):
    half = half_pair(value)
    return None if half is None else f"`{name}` holds {half}."


def _shown(value):
    return f"{value!r:.{SHOWN}}"
