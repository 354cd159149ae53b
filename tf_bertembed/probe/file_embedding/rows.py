"""A row of the input as it was read, and the windows that rows are worked on in."""

from typing import NamedTuple

from tf_bertembed.common.windows import WINDOW
from tf_bertembed.text.row_values import id_problem, text_problem

# A window ends sooner where texts are long.
WINDOW_CHARACTERS = 1 << 25


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
        problem = text_problem(self.text, values)
        name = None if self.id is None else values.get(self.id)
        wrong = None if self.id is None else _id_problem(self.id, name)
        if wrong is not None:
            problem, name = problem or wrong, None
        return Row(line, name, None if problem else values[self.text], problem)


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


def _id_problem(name, value):
    problem = id_problem(name, value)
    if problem is None and not isinstance(value, str) and not -(2**63) <= value < 2**63:
        return f"`{name}` must fit Arrow's 64 bits, or be a string. Received: {value}."
    return problem
