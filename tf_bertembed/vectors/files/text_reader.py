"""Word vectors from text: a word and its numbers on each line, as GloVe and word2vec write it."""

import collections
import concurrent.futures
import contextlib
import gzip
import itertools
from pathlib import Path

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.files.formats import HEADER, numbers_at_end, shown
from tf_bertembed.vectors.files.request import warn, warn_repeated
from tf_bertembed.vectors.files.text_lines import LineReader, clean
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors

# Small enough for the arrays of a block to stay near the processor.
BLOCK_BYTES = 1 << 18
MOST_THREADS = 4
LINES_TO_LOOK_AT = 1000
LINES_TO_NAME = 5


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
            first, block = next(blocks, (1, b""))
            if not block:
                raise common.FileFormatError(self.path, "The file holds no word vectors.")
            declared = self._start(clean(block))
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
        self.lines = LineReader(self.path, width, self.request.words)
        self._reserve(block, width)
        return declared

    def _reserve(self, block, width):
        size = self.path.stat().st_size * (3 if self.packed else 1)
        # A little too many: memory is taken where it is written to.
        rows = int(1.05 * size / max(1, len(block)) * block.count(b"\n")) + 1000
        if self.request.limit is not None:
            rows = min(rows, self.request.limit)
        if self.request.words is not None:
            rows = min(rows, len(self.request.words))
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
            self._resize(max(end, len(self.matrix) * 5 // 4))
        self.matrix[start:end] = values

    def _resize(self, rows):
        # In place, so that it is never in memory twice; nothing else refers to it yet.
        self.matrix.resize((rows, self.matrix.shape[1]), refcheck=False)

    def _check_count(self, declared):
        if declared != self.seen:
            problem = f"The first line promises {declared} words, the file has {self.seen}. " + (
                "It may be cut off." if declared > self.seen else "It may be damaged."
            )
            if not self.request.skip_bad_lines:
                raise common.FileFormatError(
                    self.path, f"{problem} To read it as it is: `skip_bad_lines`.", 1
                )
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
        self._resize(len(self.rows))
        return make_keyed_vectors(list(self.rows), self.matrix, self.rows)


def _first_lines(block, count):
    """The first lines of a block, and how many they are."""
    lines = block.split(b"\n", count)
    if len(lines) <= count or not lines[-1]:
        return block, len(lines) - (not lines[-1])
    return b"\n".join(lines[:count]) + b"\n", count
