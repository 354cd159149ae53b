"""Word vectors in one safetensors file, with the words in a tensor of their bytes.

    tensors = safetensors.numpy.load_file("vectors.safetensors")
    words = tensors["words"].tobytes().decode("utf-8").split("\\n")
    matrix = tensors["vectors"]

A file without words is read with those of the `tokenizer.json` beside it, as model2vec has it.
"""

import json
from pathlib import Path

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.files.fasttext_binary import check_lengths, make_fasttext
from tf_bertembed.vectors.files.formats import MODEL
from tf_bertembed.vectors.files.request import check_finite
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors

VECTORS = ("vectors", "embeddings")
WORDS, PARTS, NGRAMS, COUNTS = "words", "word_parts", "ngrams", "counts"
TOKENIZER = "tokenizer.json"


def read_safetensors(path, request):
    """Read word vectors from a safetensors file.

    Args:
        path: string or `pathlib.Path`. The file, or model2vec's folder.
        request: `Request`.

    Returns:
        `KeyedVectors`, or `FastTextKeyedVectors` where there are n-grams.
    """
    # Before safetensors, which reads bfloat16 only where NumPy knows it.
    import ml_dtypes  # noqa: F401
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if path.is_dir():
        path /= MODEL
    try:
        with safe_open(path, "np") as file:
            tensors = _Tensors(path, file)
            matrix = tensors.read(next((n for n in VECTORS if n in tensors.names), VECTORS[0]))
            if matrix.ndim != 2:
                raise common.FileFormatError(
                    path, f"A row for each word was expected. Received: shape {matrix.shape}."
                )
            request.check_width(path, matrix.shape[1])
            words, where = _words(path, tensors)
            if len(words) != len(matrix):
                raise common.FileFormatError(
                    path, f"It holds {len(matrix)} vectors, {where} has {len(words)} words."
                )
            words, rows = request.rows(path, words)
            shape = matrix.shape
            # What is too large for float32 is told with its word, by `check_finite`.
            with np.errstate(over="ignore"):
                matrix = np.ascontiguousarray(matrix[rows], np.float32)
            check_finite(path, words, matrix)
            if NGRAMS in tensors.names:
                found = make_fasttext(
                    words,
                    np.ascontiguousarray(tensors.read(PARTS, shape)[rows], np.float32),
                    np.ascontiguousarray(tensors.read(NGRAMS, (None, shape[1])), np.float32),
                    tensors.lengths(),
                    matrix,
                )
            else:
                found = make_keyed_vectors(words, matrix)
            if COUNTS in tensors.names:
                found.expandos["count"] = tensors.read(COUNTS, shape[:1])[rows]
            return found
    except SafetensorError as error:
        raise common.FileFormatError(
            path, f"The safetensors data is broken or cut off: {error}."
        ) from error


class _Tensors:
    """The tensors of an open file, whose faults are told with its name."""

    def __init__(self, path, file):
        self.path = path
        self.file = file
        self.names = list(file.keys())

    def read(self, name, shape=None):
        if name not in self.names:
            raise common.FileFormatError(
                self.path,
                f"A tensor {name!r} was expected. Received: "
                f"{', '.join(map(repr, self.names[:5])) or 'none'}.",
            )
        tensor = self.file.get_tensor(name)
        if shape is not None and (
            len(tensor.shape) != len(shape)
            or any(w not in (None, size) for w, size in zip(shape, tensor.shape, strict=True))
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise common.FileFormatError(
                self.path,
                f"A tensor {name!r} of shape ({wanted}) was expected. Received: {tensor.shape}.",
            )
        return tensor

    def lengths(self):
        about = self.file.metadata() or {}
        try:
            lengths = int(about["shortest_ngram"]), int(about["longest_ngram"])
        except (KeyError, ValueError) as error:
            raise common.FileFormatError(
                self.path,
                "Its metadata must give `shortest_ngram` and `longest_ngram` for its n-grams. "
                f"Received: {about}.",
            ) from error
        check_lengths(self.path, *lengths)
        return lengths


def _words(path, tensors):
    if WORDS in tensors.names:
        text = tensors.read(WORDS).tobytes()
        try:
            return text.decode("utf-8").split("\n"), f"its tensor {WORDS!r}"
        except UnicodeDecodeError as error:
            raise common.FileFormatError(
                path, f"The words are not UTF-8 from byte {error.start} on."
            ) from error
    tokenizer = path.parent / TOKENIZER
    if not tokenizer.exists():
        raise common.FileFormatError(
            path,
            f"It holds no words. A tensor {WORDS!r} of their UTF-8 bytes, one a line, or a "
            f"{TOKENIZER} beside it was expected.",
        )
    try:
        vocabulary = common.read_json(tokenizer)["model"]["vocab"]
        if isinstance(vocabulary, dict):
            return sorted(vocabulary, key=vocabulary.__getitem__), TOKENIZER
        return [str(piece) for piece, _ in vocabulary], TOKENIZER
    except (KeyError, TypeError, ValueError) as error:
        raise common.FileFormatError(
            tokenizer, "A vocabulary under `model` was expected, of pieces and their ids or scores."
        ) from error


def write_safetensors(keyed_vectors, place):
    """Write one safetensors file with vectors, words, counts and n-grams."""
    from safetensors.numpy import save_file

    words = keyed_vectors.index_to_key
    tensors = {
        VECTORS[0]: np.ascontiguousarray(keyed_vectors.vectors, np.float32),
        WORDS: np.frombuffer("\n".join(words).encode(), np.uint8),
    }
    about = {"words": "UTF-8, a line feed between them"}
    if "count" in keyed_vectors.expandos:
        tensors[COUNTS] = np.ascontiguousarray(keyed_vectors.expandos["count"])
    if getattr(keyed_vectors, "vectors_ngrams", None) is not None:
        tensors[PARTS] = np.ascontiguousarray(keyed_vectors.vectors_vocab, np.float32)
        tensors[NGRAMS] = np.ascontiguousarray(keyed_vectors.vectors_ngrams, np.float32)
        about["shortest_ngram"] = json.dumps(int(keyed_vectors.min_n))
        about["longest_ngram"] = json.dumps(int(keyed_vectors.max_n))
    save_file(tensors, place, about)
