"""A row of the input as it was read, and the windows that rows are worked on in."""

from typing import NamedTuple

from tf_bertembed.common.windows import WINDOW

# A window ends sooner where texts are long.
WINDOW_CHARACTERS = 1 << 25
SHOWN = 60


class Columns(NamedTuple):
    """The columns to read of files that have columns.

    Args:
        text: string. The column of the texts.
        id: string. The column of the ids; `None` where the number of the row
            is its id.
    """

    text: str = "text"
    id: str | None = None

    def missing(self, names):
        """Tell which of the columns a file lacks.

        Args:
            names: list of strings. The columns that it has.

        Returns:
            A string for an error; `None` where nothing is missing.
        """
        lacking = [name for name in self if name is not None and name not in names]
        if not lacking:
            return None
        flag = "--text-column" if lacking[0] == self.text else "--id-column"
        return (
            f"The column `{lacking[0]}` is missing. Received: {', '.join(map(str, names))}. "
            f"Choose one with {flag}."
        )

    def row(self, line, values):
        """Make a row of what a file holds under the names of columns.

        Args:
            line: int. Where it stands; `None` where the file has no lines.
            values: dict of strings to anything.

        Returns:
            A `Row`.
        """
        text = values.get(self.text)
        problem = _text_problem(self.text, text, values)
        name = None if self.id is None else values.get(self.id)
        if self.id is not None and not _is_id(name):
            problem = problem or (
                f"`{self.id}` must be a string or a whole number. Received: {_shown(name)}."
            )
            name = None
        return Row(line, name, None if problem else text, problem)


class Row(NamedTuple):
    """What a row of the input gave.

    Args:
        line: int. Where it starts, counted from 1; `None` in Parquet files.
        id: string or int. What the column of ids holds; `None` where there is
            no such column, or the row is too broken to tell.
        text: string. The text; `None` where the row failed.
        problem: string. Why it failed; `None` where it did not.
    """

    line: int | None
    id: str | int | None
    text: str | None
    problem: str | None = None


def windows(rows, most_rows=WINDOW, most_characters=WINDOW_CHARACTERS):
    """Cut rows into lists of bounded size, the same ones whenever it starts at a cut.

    Args:
        rows: iterable of `Row`.
        most_rows: int. The most rows in a window.
        most_characters: int. A window ends with the text that brings it to so
            many.

    Yields:
        Lists of `Row`.
    """
    window, characters = [], 0
    for row in rows:
        window.append(row)
        characters += len(row.text or "")
        if len(window) == most_rows or characters >= most_characters:
            yield window
            window, characters = [], 0
    if window:
        yield window


def _is_id(value):
    if isinstance(value, str):
        return not _has_half_pair(value)
    # Arrow's largest whole number.
    return type(value) is int and -(2**63) <= value < 2**63


def _text_problem(name, value, values):
    if name not in values:
        return f"The column `{name}` is missing. Received: {_shown(list(values))}."
    if value is None:
        return f"`{name}` is null; a string was expected."
    if not isinstance(value, str):
        return f"`{name}` must be a string. Received: {_shown(value)}."
    if _has_half_pair(value):
        return f"`{name}` holds half of a surrogate pair, which UTF-8 cannot hold."
    return None


def _has_half_pair(value):
    if value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def _shown(value):
    return f"{value!r:.{SHOWN}}"
