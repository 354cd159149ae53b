"""Word vectors from text: a word and its numbers on each line, as GloVe and word2vec write it."""

import collections
import concurrent.futures
import contextlib
import gzip
import itertools
from pathlib import Path

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.formats import HEADER, NUMBER, numbers_at_end, shown
from tf_bertembed.vectors.number_grid import NumberGrid
from tf_bertembed.vectors.request import make_keyed_vectors, warn, warn_repeated

# Small enough for the arrays of a block to stay near the processor.
BLOCK_BYTES = 1 << 18
MOST_THREADS = 4
LINES_TO_LOOK_AT = 1000
LINES_TO_NAME = 5
DECIMAL_BYTES = b"0123456789+-.eE "


def read_text(path, request):
    """Read a text file of word vectors, gzipped or not, with a header or without.

    Args:
        path: string or `pathlib.Path`. The file.
        request: `Request`.

    Returns:
        `KeyedVectors`.
    """
    return _TextReader(path, request).read()


class _TextReader:
    """One file on its way into memory: blocks are read by threads and kept in their order."""

    def __init__(self, path, request):
        self.path = Path(path)
        self.request = request
        with common.open_bytes(path) as file:
            self.packed = isinstance(file, gzip.GzipFile)
        self.lines = None
        self.seen = 0
        self.repeated = 0
        self.bad = []
        self.rows = {}
        self.matrix = None

    def read(self):
        with contextlib.closing(common.read_blocks(self.path, BLOCK_BYTES)) as blocks:
            first, block = next(blocks)
            declared = self._start(_clean(block))
            if declared:
                first, block = 2, block[block.index(b"\n") + 1 :]
            rest = itertools.chain([(first, block)] if block else [], blocks)
            complete = self._read_all(rest)
        if declared and complete:
            self._check_count(declared[0])
        return self._finish()

    def _start(self, block):
        """Find out the header, where there is one, and the width."""
        lines = block[:-1].split(b"\n", LINES_TO_LOOK_AT + 1)[: LINES_TO_LOOK_AT + 1]
        declared = HEADER.fullmatch(lines[0] + b"\n")
        declared = declared and (int(declared[1]), int(declared[2]))
        rows = lines[1:] if declared else lines
        widths = collections.Counter(map(numbers_at_end, rows))
        width = widths.most_common(1)[0][0] if widths else 0
        if declared and width == 1 != declared[1]:
            # Words that are whole numbers, with one number each.
            declared, width = None, 1
        if declared:
            if declared[1] == 0:
                raise common.FileFormatError(
                    self.path, "The first line promises vectors of width 0.", 1
                )
            if rows and width != declared[1]:
                raise common.FileFormatError(
                    self.path,
                    f"The first line promises vectors of width {declared[1]}, most of the lines "
                    f"after it have {width} numbers after the word.",
                    1,
                )
            width = declared[1]
        elif not width:
            row = next(row for row, line in enumerate(lines) if not numbers_at_end(line))
            raise common.FileFormatError(
                self.path,
                "A word and its numbers with one space between were expected. "
                f"Received: {shown(lines[row])}",
                row + 1,
            )
        self.request.check_width(self.path, width)
        self.lines = _Lines(self.path, width, self.request.words)
        self._reserve(block, width)
        return declared

    def _reserve(self, block, width):
        size = self.path.stat().st_size * (3 if self.packed else 1)
        # A little too many: memory is taken where it is written to.
        rows = int(1.05 * size / max(1, len(block)) * block.count(b"\n")) + 1000
        most = self.request.limit, self.request.words and len(self.request.words)
        rows = min(rows, *(number for number in most if number is not None), rows)
        self.matrix = np.empty((rows, width), np.float32)

    def _read_all(self, blocks):
        """Read the blocks in threads; answer whether the file was read to its end."""
        threads = min(MOST_THREADS, common.available_cores())
        left = self.request.limit
        waiting = collections.deque()
        size = None if self.packed else self.path.stat().st_size
        with (
            common.progress("Reading word vectors", size) as advance,
            concurrent.futures.ThreadPoolExecutor(threads) as pool,
        ):
            for number, block in blocks:
                if left is not None:
                    block, taken = _first_lines(block, left)
                    left -= taken
                waiting.append(pool.submit(self.lines.read, number, block))
                if left == 0:
                    break
                if len(waiting) > threads:
                    self._keep(waiting.popleft().result())
                advance(len(block))
            for future in waiting:
                self._keep(future.result())
        return left != 0

    def _keep(self, block):
        self.seen += block.lines
        if block.bad:
            if not self.request.skip_bad_lines:
                raise block.bad[0]
            self.bad += block.bad
        words, values = block.words, block.values
        start = len(self.rows)
        if len(set(words)) == len(words) and self.rows.keys().isdisjoint(words):
            self.rows.update(zip(words, itertools.count(start)))
        else:
            kept = []
            for row, word in enumerate(words):
                if word not in self.rows:
                    self.rows[word] = start + len(kept)
                    kept.append(row)
            self.repeated += len(words) - len(kept)
            values = values[kept]
        end = start + len(values)
        if end > len(self.matrix):
            self.matrix.resize((max(end, len(self.matrix) * 5 // 4), self.matrix.shape[1]))
        self.matrix[start:end] = values

    def _check_count(self, declared):
        if declared != self.seen:
            problem = f"The first line promises {declared} words, the file has {self.seen}. " + (
                "It may be cut off." if declared > self.seen else "It may be damaged."
            )
            if not self.request.skip_bad_lines:
                raise common.FileFormatError(self.path, problem, 1)
            warn(f"{self.path}: {problem}")

    def _finish(self):
        if self.bad:
            named = ", ".join(str(error.line) for error in self.bad[:LINES_TO_NAME])
            more = ", …" if len(self.bad) > LINES_TO_NAME else ""
            warn(
                f"{self.path}: {len(self.bad)} of {self.seen} lines could not be read and were "
                f"passed over (line {named}{more}). The first: {self.bad[0].problem}"
            )
        if not self.rows:
            self.request.check_found(self.path, 0, self.seen)
            raise common.FileFormatError(self.path, "The file holds no word vectors.")
        if self.repeated:
            warn_repeated(self.path, self.repeated)
        self.matrix.resize((len(self.rows), self.matrix.shape[1]))
        return make_keyed_vectors(list(self.rows), self.matrix, self.rows)


def _clean(block):
    """A block with a line feed after each line, without what some programs put before it."""
    if not block.endswith(b"\n"):
        block += b"\n"
    # As the first line, so the others; one that differs is put right by itself.
    if block[: block.index(b"\n")].endswith((b" ", b"\r")):
        block = block.replace(b"\r\n", b"\n")
        while b" \n" in block:
            block = block.replace(b" \n", b"\n")
    return block


def _first_lines(block, count):
    """The first lines of a block, and how many they are."""
    lines = block.split(b"\n", count)
    if len(lines) <= count or not lines[-1]:
        return block, len(lines) - (not lines[-1])
    return b"\n".join(lines[:count]) + b"\n", count


Block = collections.namedtuple("Block", "lines words values bad")


class _Lines:
    """Reads blocks of lines: by arithmetic where they are plain, else one by one."""

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
        grid = NumberGrid(_clean(block), self.width)
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
