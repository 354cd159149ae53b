"""gensim's own format: a pickle, which is read only where the user trusts it."""

import os

import numpy as np
from gensim.models import KeyedVectors
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.utils import SaveLoad

from tf_bertembed import common
from tf_bertembed.vectors.files.fasttext_binary import make_fasttext
from tf_bertembed.vectors.files.request import check_finite
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors


def read_gensim(path, request):
    """Read `KeyedVectors`, or the vectors of a model, that gensim saved.

    Args:
        path: string or `pathlib.Path`. The file; what gensim wrote apart
            stands beside it.
        request: `Request`, of which `allow_pickle` must be True.

    Returns:
        `KeyedVectors`, or `FastTextKeyedVectors` where there are n-grams.
    """
    if not request.allow_pickle:
        raise common.FileFormatError(
            path,
            "This is a pickle, as gensim's `save` writes it, and reading a pickle can run any "
            "code. Where you trust its source, pass allow_pickle=True (on the command line "
            "--allow-pickle), best once, to convert it to another format.",
        )
    try:
        found = SaveLoad.load(os.fspath(path))
    # What a pickle raises is up to the pickle.
    except Exception as error:
        raise common.FileFormatError(
            path, f"The pickle cannot be read. {type(error).__name__}: {error}"
        ) from error
    found = getattr(found, "wv", found)
    if not isinstance(found, KeyedVectors):
        raise common.FileFormatError(
            path,
            "KeyedVectors of gensim, or a model that holds some, were expected. Received: "
            f"{type(found).__module__}.{type(found).__name__}.",
        )
    matrix = found.vectors
    if getattr(matrix, "ndim", 0) != 2 or len(matrix) != len(found.index_to_key):
        raise common.FileFormatError(
            path,
            f"{len(found.index_to_key)} vectors were expected, one for each word. Received: shape "
            f"{getattr(matrix, 'shape', None)}.",
        )
    request.check_width(path, matrix.shape[1])
    words, rows = request.rows(path, list(map(str, found.index_to_key)))
    counts = found.expandos.get("count")
    matrix = np.ascontiguousarray(matrix[rows], np.float32)
    check_finite(path, words, matrix)
    if isinstance(found, FastTextKeyedVectors) and found.bucket:
        parts = np.ascontiguousarray(found.vectors_vocab[rows], np.float32)
        ngrams = np.ascontiguousarray(found.vectors_ngrams, np.float32)
        made = make_fasttext(words, parts, ngrams, (found.min_n, found.max_n), matrix)
    else:
        made = make_keyed_vectors(words, matrix)
    if counts is not None:
        made.expandos["count"] = np.asarray(counts)[rows]
    return made


def write_gensim(keyed_vectors, place):
    """Write gensim's own format, in one file."""
    if type(keyed_vectors) not in (KeyedVectors, FastTextKeyedVectors):
        # So that it can be read where the class is not known.
        plain = make_keyed_vectors(
            list(keyed_vectors.index_to_key),
            np.ascontiguousarray(keyed_vectors.vectors, np.float32),
        )
        plain.expandos = dict(keyed_vectors.expandos)
        keyed_vectors = plain
    keyed_vectors.save(os.fspath(place), separately=[])
