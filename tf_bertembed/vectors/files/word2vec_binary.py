"""word2vec's binary format: a line of two counts, then each word, a space, and its floats."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.files.buffers import open_buffer
from tf_bertembed.vectors.files.formats import HEADER, shown
from tf_bertembed.vectors.files.request import check_finite, warn
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors

FLOAT = np.dtype("<f4")
# word2vec's C program cuts words at 100 bytes, others do not.
LONGEST_WORD = 10_000


def read_word2vec_binary(path, request):
    """Read a binary file of word2vec, with line feeds after the rows or without.

    Args:
        path: string or `pathlib.Path`. The file, gzipped or not.
        request: `Request`.

    Returns:
        `KeyedVectors`.
    """
    with open_buffer(path) as data:
        header = HEADER.match(data)
        declared, width = int(header[1]), int(header[2])
        request.check_width(path, width)
        words, places = _find_rows(path, request, data, header.end(), declared, width)
        words, rows = request.rows(path, words)
        places = places[rows]
        matrix = np.empty((len(words), width), np.float32)
        for row, place in enumerate(places.tolist()):
            matrix[row] = np.frombuffer(data, FLOAT, width, place)
    check_finite(path, words, matrix)
    return make_keyed_vectors(words, matrix)


def _find_rows(path, request, data, start, declared, width):
    """The words, `None` for one that cannot be read, and where their floats begin."""
    words, places, bad = [], [], []
    size = width * FLOAT.itemsize
    with common.progress("Reading word vectors", len(data)) as advance:
        while len(words) < declared and len(words) != request.limit:
            row = len(words) + 1
            end = data.find(b" ", start, start + LONGEST_WORD)
            if end < 0 or end + 1 + size > len(data):
                problem = _cut(data, start, end, row, declared)
                if not (request.skip_bad_lines and words):
                    raise common.FileFormatError(path, problem)
                warn(f"{path}: {problem}")
                break
            word = data[start:end].lstrip(b"\n")
            try:
                words.append(_decode(word, row))
            except ValueError as error:
                if not request.skip_bad_lines:
                    raise common.FileFormatError(path, str(error)) from error
                words.append(None)
                bad.append(str(error))
            places.append(end + 1)
            start = end + 1 + size
            if row % 10_000 == 0:
                advance(10_000 * size)
        else:
            rest = data[start : start + 2].strip(b"\n")
            if len(words) == declared and rest:
                problem = (
                    f"The first line promises {declared} words of {width} numbers, after them "
                    f"{len(data) - start} bytes are left. The file may be damaged."
                )
                if not request.skip_bad_lines:
                    raise common.FileFormatError(path, problem)
                warn(f"{path}: {problem}")
    if bad:
        warn(f"{path}: {len(bad)} words were passed over. The first: {bad[0]}")
    return words, np.array(places, np.intp)


def _decode(word, row):
    if not word:
        raise ValueError(f"Row {row} has no word.")
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"The word of row {row} is not UTF-8. Received: {shown(word)}.") from None


def _cut(data, start, end, row, declared):
    if end < 0 and start + LONGEST_WORD < len(data):
        return (
            f"No word ends within {LONGEST_WORD} bytes at row {row}. The file may be damaged, or "
            "of another width than its first line promises."
        )
    if start >= len(data):
        return f"The first line promises {declared} words, the file ends after {row - 1}."
    word = "" if end < 0 else f", {data[start:end].strip().decode('utf-8', 'replace')!r}"
    return (
        f"The first line promises {declared} words, the file ends within row {row}{word}. It may "
        "be cut off."
    )


def write_word2vec_binary(keyed_vectors, place):
    """Write word2vec's binary format, with a line feed after each row as its C program has it."""
    matrix = np.ascontiguousarray(keyed_vectors.vectors, FLOAT)
    with open(place, "wb") as file:
        file.write(b"%d %d\n" % matrix.shape)
        for word, row in zip(keyed_vectors.index_to_key, matrix, strict=True):
            file.write(word.encode() + b" " + row.tobytes() + b"\n")
