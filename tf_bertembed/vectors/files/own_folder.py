"""A folder of NumPy arrays beside a text file of the words, which opens without being read."""

import json
import zipfile
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.files.fasttext_binary import check_lengths, make_fasttext
from tf_bertembed.vectors.files.formats import VECTORS
from tf_bertembed.vectors.files.request import check_finite
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors

WORDS, ABOUT = "words.txt", "about.json"
PARTS, NGRAMS, COUNTS = "word_parts.npy", "ngrams.npy", "counts.npy"
NEEDED = f"A folder of word vectors holds {VECTORS} and {WORDS}, a line for each row."
# What `numpy.load` raises for files that are no array.
UNREADABLE = ValueError, EOFError, OSError, zipfile.BadZipFile


class MappedKeyedVectors(KeyedVectors):
    """`KeyedVectors` over a mapped file, whose words are made when they are first asked for.

    Args:
        path: `pathlib.Path`. The folder, for messages.
        lines: uint8 array. The bytes of the words, one a line.
        matrix: float32 array of shape [W, S].
    """

    def __init__(self, path, lines, matrix):
        super().__init__(matrix.shape[1])
        # Without these two, asking for them leads to `__getattr__`.
        del self.index_to_key, self.key_to_index
        self._path, self._lines = path, lines
        self.vectors = matrix
        self.next_index = len(matrix)

    def __getattr__(self, name):
        if name == "index_to_key":
            self.index_to_key = _split(self._path, self._lines)
            return self.index_to_key
        if name == "key_to_index":
            rows = dict(zip(self.index_to_key, range(self.next_index), strict=True))
            if len(rows) != len(self.index_to_key):
                _fail_repeated(self._path, self.index_to_key)
            self.key_to_index = rows
            return rows
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __len__(self):
        return self.next_index if "index_to_key" not in self.__dict__ else len(self.index_to_key)

    def __reduce__(self):
        # As gensim's own class, which can be read where this package is not.
        _ = self.index_to_key, self.key_to_index
        state = {k: v for k, v in self.__dict__.items() if k not in ("_path", "_lines")}
        return object.__new__, (KeyedVectors,), state


def read_folder(path, request):
    """Open a folder of word vectors. The arrays are mapped: changes stay in memory.

    Args:
        path: string or `pathlib.Path`. The folder.
        request: `Request`.

    Returns:
        `KeyedVectors`, or `FastTextKeyedVectors` where there are n-grams.
    """
    path = Path(path)
    for name in (VECTORS, WORDS):
        if not (path / name).is_file():
            raise common.FileFormatError(path, f"It holds no {name}. {NEEDED}")
    matrix = _map(path / VECTORS)
    request.check_width(path / VECTORS, matrix.shape[1])
    # Mapped too: of a file that is opened, the words may never be asked for.
    lines = np.memmap(common.require_file(path / WORDS, NEEDED), np.uint8, "r")
    count = np.count_nonzero(lines == ord("\n")) + int(lines[-1] != ord("\n"))
    if count != len(matrix):
        raise common.FileFormatError(
            path / WORDS,
            f"{len(matrix)} lines were expected, one for each row of {VECTORS}, got {count}.",
        )
    about = common.read_json(path / ABOUT) if (path / ABOUT).exists() else None
    counts = _map_beside(path / COUNTS, (len(matrix),)) if (path / COUNTS).exists() else None
    everything = request.limit is None and request.words is None
    if everything and about is not None and not about.get("ngrams") and len(matrix):
        found = MappedKeyedVectors(path, lines, matrix)
        rows = slice(None)
    else:
        words = _split(path, lines)
        if about is None:
            # Nobody has looked at it yet; what `vectors.save` wrote is finite.
            check_finite(path / VECTORS, words, matrix)
        words, rows = request.rows(path, words)
        if about and about.get("ngrams"):
            found = _with_ngrams(path, about["ngrams"], words, rows, matrix)
        else:
            found = make_keyed_vectors(words, matrix[rows])
    if counts is not None:
        found.expandos["count"] = counts[rows]
    return found


def _with_ngrams(path, about, words, rows, matrix):
    try:
        shortest, longest, buckets = (int(about[k]) for k in ("shortest", "longest", "buckets"))
    except (KeyError, TypeError, ValueError) as error:
        raise common.FileFormatError(
            path / ABOUT,
            "`ngrams` must hold the ints `shortest`, `longest` and `buckets`. "
            f"Received: {about!r}.",
        ) from error
    check_lengths(path / ABOUT, shortest, longest)
    parts = _map_beside(path / PARTS, matrix.shape)[rows]
    ngrams = _map_beside(path / NGRAMS, (buckets, matrix.shape[1]))
    return make_fasttext(words, parts, ngrams, (shortest, longest), matrix[rows])


def _map(path):
    common.require_file(path, NEEDED)
    try:
        # Copied where it is written to, so that vectors can be changed as others can.
        matrix = np.load(path, mmap_mode="c", allow_pickle=False)
    except UNREADABLE as error:
        if "Object arrays" in str(error) or "Python objects" in str(error):
            problem = (
                "The array holds Python objects, which is a pickle and can run code. Save it as "
                "float32."
            )
        else:
            problem = f"It is no NumPy array, or cut off: {error}."
        raise common.FileFormatError(path, problem) from error
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind != "f":
        shape = getattr(matrix, "shape", None)
        dtype = getattr(matrix, "dtype", type(matrix).__name__)
        raise common.FileFormatError(
            path,
            "An array of floats with a row for each word was expected. Received: shape "
            f"{shape}, {dtype}.",
        )
    if matrix.dtype != np.float32 or not matrix.flags.c_contiguous:
        # What is too large for float32 is told with its word, by `check_finite`.
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(matrix, np.float32)
    return matrix.view(np.ndarray)


def _map_beside(path, shape):
    common.require_file(path, "It belongs to the other files of its folder.")
    try:
        found = np.load(path, mmap_mode="c", allow_pickle=False)
    except UNREADABLE as error:
        raise common.FileFormatError(path, f"It is no NumPy array, or cut off: {error}.") from error
    received = getattr(found, "shape", None), getattr(found, "dtype", type(found).__name__)
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind not in "fi":
        raise common.FileFormatError(
            path, f"Numbers of shape {shape} were expected. Received: {received[0]}, {received[1]}."
        )
    return found.view(np.ndarray)


def _split(path, lines):
    content = lines.tobytes()
    if content[: content.find(b"\n")].endswith(b"\r"):
        content = content.replace(b"\r\n", b"\n")
    try:
        return content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        for number, line in enumerate(content.split(b"\n"), start=1):
            common.decode_line(path / WORDS, number, line)
        raise


def _fail_repeated(path, words):
    seen = {}
    for number, word in enumerate(words, start=1):
        if word in seen:
            raise common.FileFormatError(
                path / WORDS, f"The word {word!r} stands in line {seen[word]} too.", number
            )
        seen[word] = number


def write_folder(keyed_vectors, place):
    """Write `vectors.npy`, `words.txt` and, where there are some, counts and n-grams."""
    place.mkdir()
    words = keyed_vectors.index_to_key
    np.save(place / VECTORS, np.ascontiguousarray(keyed_vectors.vectors, np.float32))
    (place / WORDS).write_text("".join(f"{word}\n" for word in words), "utf-8", newline="\n")
    about = {"words": len(words), "width": int(keyed_vectors.vector_size)}
    if "count" in keyed_vectors.expandos:
        np.save(place / COUNTS, keyed_vectors.expandos["count"])
    if getattr(keyed_vectors, "vectors_ngrams", None) is not None:
        np.save(place / PARTS, np.ascontiguousarray(keyed_vectors.vectors_vocab, np.float32))
        np.save(place / NGRAMS, np.ascontiguousarray(keyed_vectors.vectors_ngrams, np.float32))
        about["ngrams"] = {
            "shortest": int(keyed_vectors.min_n),
            "longest": int(keyed_vectors.max_n),
            "buckets": len(keyed_vectors.vectors_ngrams),
        }
    (place / ABOUT).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
