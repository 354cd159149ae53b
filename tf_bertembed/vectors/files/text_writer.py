"""Word vectors as text: a word and its numbers on each line."""

import gzip
import json
import re

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.files.formats import NUMBER

ROWS_AT_ONCE = 4096
# A float32 of at least 1e-4 has nine digits from its fourth place on at most.
MOST_PLACES = 13
# What the programs that read a format take for the end of a word.
WORD_ENDS = {
    "glove": re.compile(r"[\x00\n]"),
    "word2vec": re.compile(r"[\x00-\x20]"),
    "fasttext": re.compile(r"[\x00-\x20]"),
    "word2vec-binary": re.compile(r"[\n ]"),
    "fasttext-binary": re.compile(r"[\x00\n ]"),
    "folder": re.compile(r"\n"),
    "safetensors": re.compile(r"\n"),
}
ELSEWHERE = "Formats that hold any word without a line feed: 'folder' and 'safetensors'."


def check_words(words, path, form):
    """Refuse words that would not come back from a format.

    Args:
        words: list of strings.
        path: string or `pathlib.Path`. The output, for the message.
        form: string. The format.
    """
    ends = WORD_ENDS.get(form)
    if ends is None:
        return
    for row, word in enumerate(words, start=1):
        if not word and form not in ("folder", "fasttext-binary"):
            problem = "is empty"
        elif found := ends.search(word):
            problem = f"has {found[0]!r} in it"
        elif row == 1 and word.startswith("\ufeff") and form in ("glove", "word2vec", "fasttext"):
            problem = "begins with a byte order mark"
        elif form == "glove" and " " in word and NUMBER.fullmatch(word.split(" ")[-1].encode()):
            problem = "ends in a number, which would be read as one of its vector"
        elif form == "folder" and word.endswith("\r"):
            problem = "ends in a carriage return"
        else:
            continue
        raise common.BertEmbedError(
            f"{path}: the format {form!r} cannot hold word {row}, {word!r}: it {problem}. "
            f"{ELSEWHERE}"
        )


def write_text(keyed_vectors, place, header, end=""):
    """Write the shortest decimals that give the same float32, gzipped where the name ends so.

    Args:
        keyed_vectors: `KeyedVectors`, W of width S.
        place: `pathlib.Path`. The file.
        header: bool. Whether a first line gives W and S.
        end: string. What stands before each line feed.
    """
    words, matrix = keyed_vectors.index_to_key, keyed_vectors.vectors
    with (
        gzip.open(place, "wb", compresslevel=6) if place.suffix == ".gz" else open(place, "wb")
    ) as file:
        if header:
            file.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for first in range(0, len(words), ROWS_AT_ONCE):
            last = first + ROWS_AT_ONCE
            numbers = _shortest(np.asarray(matrix[first:last], np.float32)).tolist()
            lines = [
                # Of what writes lists of floats, the quickest.
                f"{word} {json.dumps(row, separators=(' ', ''))[1:-1]}{end}\n"
                for word, row in zip(words[first:last], numbers, strict=True)
            ]
            file.write("".join(lines).encode())


def _shortest(values):
    """Doubles that are written with the fewest digits that give the same float32.

    Args:
        values: float32 array.

    Returns:
        A float64 array of the same shape.
    """
    single = values.ravel()
    found = single.astype(np.float64)
    size = np.abs(found)
    plain = ((size >= 1e-4) & (size < 1e6)) | (size == 0)
    left = np.flatnonzero(plain)
    for places in range(MOST_PLACES + 1):
        scale = 10.0**places
        rounded = np.rint(found[left] * scale) / scale
        same = rounded.astype(np.float32) == single[left]
        found[left[same]] = rounded[same]
        left = left[~same]
    for place in (*left.tolist(), *np.flatnonzero(~plain).tolist()):
        found[place] = float(str(single[place]))
    return found.reshape(values.shape)


def write_glove(keyed_vectors, place):
    """Write GloVe's text, which has no header."""
    write_text(keyed_vectors, place, header=False)


def write_word2vec(keyed_vectors, place):
    """Write word2vec's text."""
    write_text(keyed_vectors, place, header=True)


def write_fasttext(keyed_vectors, place):
    """Write fastText's `.vec`, which has a space before each line feed."""
    write_text(keyed_vectors, place, header=True, end=" ")
