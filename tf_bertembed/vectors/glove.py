"""Word vectors from GloVe's text format: a word and its numbers on each line."""

import collections
import contextlib
import re
import warnings

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.request import make_keyed_vectors, warn

NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
NOT_FINITE = {b"nan", b"inf", b"-inf"}
NUMBER_BYTES = b"0123456789+-.eE \r\n"
SPACES_AT_END = re.compile(rb" +(?=\r?\n|\r?$)")
LINES_TO_LOOK_AT = 1000


def read_text(path, request):
    """Read a text file as `KeyedVectors`."""
    return make_keyed_vectors(*read_glove(path, request.limit, request.words, request.width))


def read_glove(path, limit=None, words=None, width=None):
    """Read a GloVe text file.

    Args:
        path: string or `pathlib.Path`. The file, gzipped or not.
        limit: int. Read only the first so many lines of words.
        words: set of strings. Keep only these words.
        width: int. The width that the vectors must have.

    Returns:
        A list of W distinct strings and a float32 array of shape [W, S].

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the content is not word vectors, with the line.
    """
    wanted = None if words is None else {word.encode() for word in words}
    blocks = common.read_blocks(path)
    rows = _Rows(path, wanted)
    declared = None
    left = limit
    with common.progress("Reading word vectors") as advance, contextlib.closing(blocks):
        for number, block in blocks:
            lines = _split(block)
            if number == 1:
                declared = _header(lines)
                if declared:
                    lines, number = lines[1:], 2
                rows.width = _width(path, number, lines, declared)
                if width is not None and rows.width != width:
                    raise common.FileFormatError(
                        path, f"Vectors of width {width} were expected, got width {rows.width}."
                    )
            rows.add(number, lines[:left])
            advance(len(lines))
            if left is not None:
                left -= len(lines)
                if left <= 0:
                    break
        else:
            if declared and declared[0] != rows.seen:
                warn(
                    f"{path}: its first line promises {declared[0]} words, the file has "
                    f"{rows.seen}. It may be cut off.",
                )
    return rows.finish()


class _Rows:
    """The words and numbers read so far, with the lines checked as they come."""

    def __init__(self, path, wanted):
        self.path = path
        self.wanted = wanted
        self.width = 0
        self.seen = 0
        self.words = {}
        self.arrays = []
        self.repeated = 0

    def add(self, first, lines):
        self.seen += len(lines)
        words, texts, numbers = [], [], []
        for number, line in enumerate(lines, start=first):
            word, _, text = line.partition(b" ")
            if text.count(b" ") != self.width - 1 or not word:
                word, text = self._parts(number, line)
            if self.wanted is None or word in self.wanted:
                words.append(word)
                texts.append(text)
                numbers.append(number)
        if words:
            self._keep(self._decode(numbers, words), self._values(numbers, texts))

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
            self._fail(number, line, f"{_numbers_at_end(line)} after the word")
        return word, b" ".join(text)

    def _fail(self, number, line, got):
        raise common.FileFormatError(
            self.path,
            f"A word and {self.width} numbers with one space between were expected, "
            f"got {got}. Received: {_shown(line)}",
            number,
        )

    def _decode(self, numbers, words):
        try:
            return b"\n".join(words).decode("utf-8").split("\n")
        except UnicodeDecodeError:
            return [
                common.decode_line(self.path, number, word)
                for number, word in zip(numbers, words, strict=True)
            ]

    def _values(self, numbers, texts):
        values = _parse(b"\n".join(texts))
        if values is None or values.size != len(texts) * self.width:
            for number, text in zip(numbers, texts, strict=True):
                for field in text.rstrip(b"\r").split(b" "):
                    if not NUMBER.fullmatch(field):
                        raise common.FileFormatError(
                            self.path,
                            f"A finite number was expected. Received: {_shown(field)}",
                            number,
                        )
            raise AssertionError(f"{self.path}: lines {numbers[0]} to {numbers[-1]} cannot be read")
        values = values.reshape(len(texts), self.width)
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            field = texts[row].split()[int(np.argmin(np.isfinite(values[row])))].decode()
            raise common.FileFormatError(
                self.path, f"The number is too large for float32. Received: {field}", numbers[row]
            )
        return values

    def _keep(self, words, values):
        before = len(self.words)
        first = []
        for row, word in enumerate(words):
            if word not in self.words:
                self.words[word] = None
                first.append(row)
        self.repeated += before + len(words) - len(self.words)
        self.arrays.append(values if len(first) == len(words) else values[first])

    def finish(self):
        if not self.arrays:
            if self.wanted is not None and self.seen:
                raise common.BertEmbedError(
                    f"None of the {len(self.wanted)} `words` asked for is among the {self.seen} "
                    f"words of {self.path}."
                )
            raise common.FileFormatError(self.path, "The file holds no word vectors.")
        if self.repeated:
            warn(
                f"{self.path}: {self.repeated} lines repeat an earlier word; the first vector of "
                "each word was kept.",
            )
        return list(self.words), np.concatenate(self.arrays)


def _split(block):
    if b" \n" in block or b" \r" in block or block.endswith(b" "):
        # fastText ends each line with a space.
        block = SPACES_AT_END.sub(b"", block)
    return block.removesuffix(b"\n").split(b"\n")


def _parse(text):
    """The numbers in a text, or None where something else is among them."""
    if text.translate(None, NUMBER_BYTES) or b"  " in text:
        return None
    with warnings.catch_warnings():
        # NumPy before 2.3 warns where it stops early; the caller counts.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.float32, sep=" ")
        except ValueError:
            return None


def _numbers_at_end(line):
    fields = line.rstrip(b"\r").split(b" ")
    count = 0
    # What is not finite takes a number's place too, and is refused when it is read.
    while count < len(fields) - 1 and (
        NUMBER.fullmatch(fields[-1 - count]) or fields[-1 - count].lower() in NOT_FINITE
    ):
        count += 1
    return count


def _header(lines):
    """Words and width where the first line is word2vec's header, else None."""
    fields = lines[0].split()
    if len(fields) == 2 and all(field.isdigit() for field in fields) and len(lines) > 1:
        declared = int(fields[0]), int(fields[1])
        if _numbers_at_end(lines[1]) == declared[1] > 1:
            return declared
    return None


def _width(path, first, lines, declared):
    if declared:
        return declared[1]
    widths = collections.Counter(_numbers_at_end(line) for line in lines[:LINES_TO_LOOK_AT])
    width = widths.most_common(1)[0][0]
    if not width:
        row = next(row for row, line in enumerate(lines) if not _numbers_at_end(line))
        raise common.FileFormatError(
            path,
            "A word and its numbers with one space between were expected. "
            f"Received: {_shown(lines[row])}",
            first + row,
        )
    return width


def _shown(line):
    return repr(line[:60].decode("utf-8", "replace") + ("…" if len(line) > 60 else ""))
