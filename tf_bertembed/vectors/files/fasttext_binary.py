"""fastText's `.bin`: its settings, its dictionary, and the vectors of words and n-grams."""

import struct

import numpy as np
from gensim.models.fasttext import FastTextKeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.files.buffers import open_buffer
from tf_bertembed.vectors.files.formats import FASTTEXT_MAGIC, shown
from tf_bertembed.vectors.files.request import check_finite, warn
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors, set_words

FLOAT = np.dtype("<f4")
VERSION = 12
# dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate, t
SETTINGS = struct.Struct("<12id")
COUNTS = struct.Struct("<3iq")
ENTRY = struct.Struct("<qb")
SHAPE = struct.Struct("<2q")
WORD = 0
# What fastText's own options are without being told: of ws to model, where 2 and 2 stand for
# negative sampling and skip-gram.
DEFAULTS = 5, 5, 5, 5, 1, 2, 2


class _Cursor:
    """A place in the file that moves on with what is read."""

    def __init__(self, path, data):
        self.path = path
        self.data = data
        self.place = 0

    def unpack(self, form, what):
        values = form.unpack(self.take(form.size, what))
        return values if len(values) > 1 else values[0]

    def take(self, size, what):
        start = self.skip(size, what)
        return self.data[start : start + size]

    def skip(self, size, what):
        start = self.place
        if start + size > len(self.data):
            raise common.FileFormatError(
                self.path,
                f"The file ends within {what}: {start + size} bytes were expected, it has "
                f"{len(self.data)}. It may be cut off.",
            )
        self.place += size
        return start


def read_fasttext_binary(path, request):
    """Read the words and n-grams of a model of fastText.

    Args:
        path: string or `pathlib.Path`. The file, gzipped or not.
        request: `Request`.

    Returns:
        `FastTextKeyedVectors`; `KeyedVectors` where the model has no n-grams.
    """
    with open_buffer(path) as data:
        cursor = _Cursor(path, data)
        marked = data[:4] == FASTTEXT_MAGIC
        if marked:
            cursor.take(8, "its header")
        dim, *_, bucket, shortest, longest, _, _ = cursor.unpack(SETTINGS, "its settings")
        request.check_width(path, dim)
        check_lengths(path, shortest, longest)
        size, word_count, label_count, _ = cursor.unpack(COUNTS, "its counts")
        if size != word_count + label_count or min(size, word_count, label_count) < 0:
            raise common.FileFormatError(
                path,
                f"{size} entries of the dictionary cannot be {word_count} words and {label_count} "
                "labels. The file may be damaged.",
            )
        pruned = cursor.unpack(struct.Struct("<q"), "its counts") if marked else 0
        words, counts = _read_dictionary(cursor, request, size)
        cursor.skip(8 * max(pruned, 0), "its dictionary")
        if marked and cursor.take(1, "its dictionary") != b"\x00":
            raise common.FileFormatError(
                path,
                "The vectors are quantised (.ftz), which loses too much to start from. Give the "
                "model's .bin.",
            )
        rows, width = cursor.unpack(SHAPE, "the shape of its vectors")
        if width != dim or rows < word_count or rows - word_count not in (0, bucket):
            raise common.FileFormatError(
                path,
                f"{word_count} + {bucket} vectors of width {dim} were expected, the file has "
                f"{rows} of width {width}. It may be damaged.",
            )
        start = cursor.skip(rows * width * FLOAT.itemsize, "its vectors")
        everything = np.frombuffer(data, FLOAT, rows * width, start).reshape(rows, width)
        found, selected = request.rows(path, words)
        parts = np.array(everything[:word_count][selected], np.float32)
        ngrams = np.array(everything[word_count:], np.float32)
        del everything
    check_finite(path, found, parts)
    if not longest or not len(ngrams):
        keyed_vectors = make_keyed_vectors(found, parts)
    else:
        check_finite(path, [f"n-grams in bucket {i}" for i in range(len(ngrams))], ngrams)
        keyed_vectors = make_fasttext(found, parts, ngrams, (shortest, longest))
    keyed_vectors.expandos["count"] = np.array(counts, np.int64)[selected]
    return keyed_vectors


def _read_dictionary(cursor, request, size):
    """The words, `None` for one that cannot be read, and how often each was seen."""
    words, counts, bad = [], [], []
    data, path = cursor.data, cursor.path
    for row in range(1, size + 1):
        end = data.find(b"\x00", cursor.place)
        if end < 0:
            raise common.FileFormatError(
                path, f"The file ends within entry {row} of {size} words. It may be cut off."
            )
        word = cursor.take(end + 1 - cursor.place, "its dictionary")[:-1]
        count, kind = cursor.unpack(ENTRY, f"entry {row} of {size} words")
        if kind != WORD:
            # Labels of a classifier come after the words.
            continue
        counts.append(count)
        try:
            words.append(word.decode("utf-8"))
        except UnicodeDecodeError as error:
            bad.append(f"The word of row {row} is not UTF-8. Received: {shown(word)}.")
            if not request.skip_bad_lines:
                raise common.FileFormatError(
                    path, f"{bad[0]} To go on without such words: `skip_bad_lines`."
                ) from error
            words.append(None)
    if bad:
        warn(f"{path}: {len(bad)} words were passed over. The first: {bad[0]}")
    return words, counts


def check_lengths(path, shortest, longest):
    """Refuse lengths of n-grams that are below 0.

    Args:
        path: string or `pathlib.Path`. For the message.
        shortest: int. Characters of the shortest n-gram.
        longest: int. Characters of the longest n-gram.
    """
    if min(shortest, longest) < 0:
        raise common.FileFormatError(
            path,
            f"N-grams from {shortest} to {longest} characters cannot be. The file may be damaged.",
        )


def make_fasttext(words, parts, ngrams, lengths, vectors=None):
    """Put words and n-grams together.

    Args:
        words: list of W strings, no two the same.
        parts: float32 array of shape [W, S]. What each word has of its own.
        ngrams: float32 array of shape [N, S]. The vectors of the buckets that
            n-grams fall into.
        lengths: pair of ints. Characters of the shortest and longest n-gram.
        vectors: float32 array of shape [W, S]. The vectors of the words;
            made from their parts and n-grams where they are `None`.

    Returns:
        `FastTextKeyedVectors`.
    """
    found = FastTextKeyedVectors(parts.shape[1], *lengths, len(ngrams))
    set_words(found, words)
    found.vectors_vocab, found.vectors_ngrams = parts, ngrams
    if vectors is None:
        found.recalc_char_ngram_buckets()
        found.adjust_vectors()
    else:
        found.vectors = vectors
    return found


def write_fasttext_binary(keyed_vectors, place):
    """Write a model of fastText, without what only training it further would need.

    That is the output matrix, which is zeros, as at the start of training.
    """
    words = keyed_vectors.index_to_key
    ngrams = getattr(keyed_vectors, "vectors_ngrams", None)
    parts = keyed_vectors.vectors if ngrams is None else keyed_vectors.vectors_vocab
    shortest, longest, bucket = 0, 0, 0
    if ngrams is not None:
        shortest, longest, bucket = keyed_vectors.min_n, keyed_vectors.max_n, len(ngrams)
    counts = keyed_vectors.expandos.get("count", np.ones(len(words), np.int64)).tolist()
    width = keyed_vectors.vector_size
    with open(place, "wb") as file:
        file.write(FASTTEXT_MAGIC + struct.pack("<i", VERSION))
        file.write(SETTINGS.pack(width, *DEFAULTS, bucket, shortest, longest, 100, 1e-4))
        file.write(COUNTS.pack(len(words), len(words), 0, sum(counts)) + struct.pack("<q", -1))
        for word, count in zip(words, counts, strict=True):
            file.write(word.encode() + b"\x00" + ENTRY.pack(count, WORD))
        file.write(b"\x00" + SHAPE.pack(len(words) + bucket, width))
        np.ascontiguousarray(parts, FLOAT).tofile(file)
        if bucket:
            np.ascontiguousarray(ngrams, FLOAT).tofile(file)
        file.write(b"\x00" + SHAPE.pack(len(words), width))
        np.zeros((len(words), width), FLOAT).tofile(file)
