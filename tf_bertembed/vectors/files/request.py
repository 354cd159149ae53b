"""What to read of a source of word vectors, and what is told of what was read."""

import dataclasses
import sys
import warnings

import numpy as np

from tf_bertembed import common


@dataclasses.dataclass(frozen=True)
class Request:
    """Which words to read, and what to put up with.

    Args:
        limit: int. The first so many words; `None` for all.
        words: frozenset of strings. Only these; `None` for all.
        width: int. The width that the vectors must have; `None` for any.
        skip_bad_lines: bool. Whether to go on past what cannot be read.
        allow_pickle: bool. Whether a pickle may be read.
    """

    limit: int | None = None
    words: frozenset | None = None
    width: int | None = None
    skip_bad_lines: bool = False
    allow_pickle: bool = False

    def check_width(self, path, width):
        """Refuse vectors of another width than was asked for, or of none."""
        if width < 1:
            raise common.FileFormatError(
                path, "The vectors have width 0. A width of at least 1 was expected."
            )
        if self.width is not None and width != self.width:
            raise common.FileFormatError(
                path, f"Vectors of width {self.width} were expected, got width {width}."
            )

    def rows(self, path, words):
        """Choose rows by their words; repeats are dropped with a warning.

        Args:
            path: string or `pathlib.Path`. For messages.
            words: list of W strings, or `None` where a word could not be read.

        Returns:
            A pair: the list of words that are kept, and their rows as a slice
            or a list of ints.
        """
        words = words[: self.limit]
        first = {}
        for row, word in enumerate(words):
            first.setdefault(word, row)
        bad = words.count(None)
        first.pop(None, None)
        repeated = len(words) - bad - len(first)
        if repeated:
            warn_repeated(path, repeated)
        if self.words is not None:
            first = {word: row for word, row in first.items() if word in self.words}
            self.check_found(path, len(first), len(words))
        if not first:
            raise common.FileFormatError(path, "The file holds no word vectors.")
        kept = list(first)
        return kept, slice(0, len(kept)) if len(kept) == len(words) else list(first.values())

    def check_found(self, path, found, seen):
        """Refuse a source that has none of the words that were asked for."""
        if self.words is not None and not found:
            raise common.BertEmbedError(
                f"None of the {len(self.words)} `words` asked for is among the {seen} words of "
                f"{path}."
            )


def check_finite(path, words, matrix, rows_at_once=1 << 16):
    """Refuse a matrix that has a NaN or an infinity, with its row and word.

    Args:
        path: string or `pathlib.Path`. For the message.
        words: list of W strings.
        matrix: array of shape [W, S].
        rows_at_once: int. How many rows to look at at once, which bounds the
            memory.
    """
    for first in range(0, len(matrix), rows_at_once):
        part = matrix[first : first + rows_at_once]
        # A sum is finite where all its parts are, save for an overflow.
        with np.errstate(all="ignore"):
            suspect = not np.isfinite(np.sum(part, dtype=np.float64))
        if suspect:
            finite = np.isfinite(part)
            if not finite.all():
                row, column = np.argwhere(~finite)[0].tolist()
                raise common.FileFormatError(
                    path,
                    f"The vector of row {first + row + 1}, {words[first + row]!r}, is not finite. "
                    f"Received: {part[row, column]} in column {column + 1}.",
                )


def warn_repeated(path, count):
    """Tell that words came more than once."""
    warn(
        f"{path}: {count} {'line repeats' if count == 1 else 'lines repeat'} an earlier word; the "
        "first vector of each word was kept."
    )


def warn(message):
    """Warn at the line outside this package that led here, however deep the way was."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("tf_bertembed."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
