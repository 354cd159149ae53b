"""Lines of text that are a word and its numbers, a block of them at a time."""

import collections

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.files.formats import NUMBER, numbers_at_end, shown
from tf_bertembed.vectors.files.number_grid import NumberGrid

DECIMAL_BYTES = b"0123456789+-.eE "

Block = collections.namedtuple("Block", "lines words values bad")


def clean(block):
    """A block with a line feed after each line, without what some programs put before it."""
    if not block.endswith(b"\n"):
        block += b"\n"
    # As the first line, so the others; one that differs is put right by itself.
    if block[: block.index(b"\n")].endswith((b" ", b"\r")):
        block = block.replace(b"\r\n", b"\n")
        while b" \n" in block:
            block = block.replace(b" \n", b"\n")
    return block


class LineReader:
    """Reads blocks of lines: by arithmetic where they are plain, else one by one.

    Args:
        path: `pathlib.Path`. The file, for messages.
        width: int. Numbers in a line.
        wanted: set of strings. Only these words; `None` for all.
    """

    def __init__(self, path, width, wanted):
        self.path = path
        self.width = width
        self.wanted = None if wanted is None else {word.encode() for word in wanted}

    def read(self, first, block):
        """Read one block.

        Args:
            first: int. The number of its first line.
            block: bytes. Lines.

        Returns:
            A `Block`: the number of lines, the words that are kept and their
            values, and a `FileFormatError` for each line that cannot be read.
        """
        cut = not block.endswith(b"\n")
        grid = NumberGrid(clean(block), self.width)
        words, bad = grid.words(), {}
        values = np.empty((len(words), self.width), np.float32)
        if not grid.fits.all() or b" " in b"".join(words):
            self._look_closer(first, grid, words, values, bad)
        if self.wanted is not None:
            words = [word if word in self.wanted else None for word in words]
        words = self._decode(first, words, bad)
        plain = grid.fits
        if None in words:
            plain = plain & np.array([word is not None for word in words])
        self._fill(first, grid, np.flatnonzero(plain), values, bad)
        if bad or None in words:
            kept = [row for row, word in enumerate(words) if word is not None and row not in bad]
            words, values = [words[row] for row in kept], values[kept]
        last = len(grid.fits) - 1
        if cut and last in bad:
            bad[last] = common.FileFormatError(
                self.path,
                f"{bad[last].problem} The line has no end: the file may be cut off.",
                bad[last].line,
            )
        return Block(len(grid.fits), words, values, [bad[row] for row in sorted(bad)])

    def _look_closer(self, first, grid, words, values, bad):
        """Read the lines that are not plain, and check words that hold spaces."""
        for row, fits in enumerate(grid.fits.tolist()):
            if not fits or b" " in words[row]:
                try:
                    words[row], text = self._parts(first + row, grid.line(row).rstrip(b" \r"))
                    if not fits:
                        values[row] = self._values(first + row, text)
                except common.FileFormatError as error:
                    words[row], bad[row] = None, error

    def _fill(self, first, grid, rows, values, bad):
        found, odd = grid.values(rows)
        for place, column in np.argwhere(odd).tolist():
            row = int(rows[place])
            if row not in bad:
                try:
                    found[place, column] = self._values(first + row, grid.text(row, column))[0]
                except common.FileFormatError as error:
                    bad[row] = error
        values[rows] = found

    def _parts(self, number, line):
        """The word, which may hold spaces, and the text of its numbers."""
        word, *text = line.rsplit(b" ", self.width)
        if len(text) < self.width:
            self._fail(number, line, f"{len(line.split()[1:])} after the word")
        if not word:
            self._fail(number, line, "no word before them")
        last = word.rpartition(b" ")[2]
        # A word may end in a whole number ("iphone 6"), but then the row's own
        # numbers are not whole ones.
        part_of_word = last.isdigit() and b"." in b"".join(text)
        if b" " in word and NUMBER.fullmatch(last) and not part_of_word:
            self._fail(number, line, f"{numbers_at_end(line)} after the word")
        return word, b" ".join(text)

    def _fail(self, number, line, got):
        raise common.FileFormatError(
            self.path,
            f"A word and {self.width} numbers with one space between were expected, "
            f"got {got}. Received: {shown(line)}",
            number,
        )

    def _values(self, number, text):
        """Numbers of any form, with one space between."""
        fields = text.split(b" ")
        try:
            # Python reads more than decimals, such as 1_0 and nan.
            if text.translate(None, DECIMAL_BYTES):
                raise ValueError(text)
            values = np.array([float(field) for field in fields])
            with np.errstate(over="ignore"):
                values = values.astype(np.float32)
        except ValueError:
            field = next(field for field in fields if not NUMBER.fullmatch(field))
            raise common.FileFormatError(
                self.path, f"A finite number was expected. Received: {shown(field)}", number
            ) from None
        large = np.flatnonzero(np.isinf(values))
        if len(large):
            raise common.FileFormatError(
                self.path,
                f"The number is too large for float32. Received: {fields[large[0]].decode()}",
                number,
            )
        return values

    def _decode(self, first, words, bad):
        """Turn bytes into strings; `None` for a word that is left out or not UTF-8."""
        try:
            if None not in words:
                return b"\n".join(words).decode("utf-8").split("\n")
            return [word and word.decode("utf-8") for word in words]
        except UnicodeDecodeError:
            pass
        found = []
        for row, word in enumerate(words):
            try:
                found.append(word and common.decode_line(self.path, first + row, word))
            except common.FileFormatError as error:
                found.append(None)
                bad[row] = error
        return found
