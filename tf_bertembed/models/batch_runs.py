"""Batches of texts, some at a time, to vectors in the order of the texts."""

import concurrent.futures
import contextlib

import numpy as np
import tensorflow as tf

from tf_bertembed.common import available_cores, check_limits, progress
from tf_bertembed.text import length_batches

# Products hardly gain beyond a thousand pieces, and what they make leaves the caches; one layer
# takes 1024 * 4 * intermediate_dim bytes then.
MAX_PIECES = 1024
# About what a piece of English takes; one of Chinese takes 3.
BYTES_PER_PIECE = 4


def encode_batches(function, texts, batches, streams, vectors=None, advance=None):
    """Run batches of texts, some at a time, and put their vectors in order.

    Args:
        function: callable from a string tensor `[B]` to vectors `[B, D]`.
        texts: sequence of N strings.
        batches: list of integer arrays, the places in `texts` of each batch.
        streams: int. The batches that run at a time, each in a thread.
        vectors: array `[N, D]` to write to; `None` to make one.
        advance: callable that is told how many more texts are done.

    Returns:
        The array, float32.
    """

    def run(rows):
        found = function(tf.constant([texts[row] for row in rows])).numpy()
        if advance is not None:
            advance(len(rows))
        return found

    if vectors is None:
        first, *batches = batches
        found = run(first)
        vectors = np.empty((len(texts), found.shape[1]), "float32")
        vectors[first] = found

    def work(rows):
        vectors[rows] = run(rows)

    if streams == 1 or len(batches) < 2:
        for rows in batches:
            work(rows)
        return vectors
    with concurrent.futures.ThreadPoolExecutor(streams) as pool:
        running = [pool.submit(work, rows) for rows in batches]
        try:
            for future in running:
                future.result()
        except BaseException:
            # The batches not begun yet would otherwise run to the last.
            pool.shutdown(cancel_futures=True)
            raise
    return vectors


def byte_batches(texts, batch_size=None, max_pieces=None):
    """Cut texts into batches where no tokenizer can be asked for their pieces.

    Args:
        texts: sequence of N strings.
        batch_size: int. As for `TextEncoder.encode`.
        max_pieces: int. As for `TextEncoder.encode`, reckoned from bytes.

    Returns:
        A list of int64 arrays, the places in `texts` of each batch.
    """
    check_limits(max_pieces=max_pieces)
    pieces = MAX_PIECES if max_pieces is None else max_pieces
    return length_batches(texts, batch_size, max_bytes=BYTES_PER_PIECE * pieces)


def progress_or(advance, count):
    """The caller's function that is told of progress, or a bar."""
    if advance is None:
        return progress("Encoding texts", count)
    return contextlib.nullcontext(advance)


def default_streams():
    """Two batches at a time, where there are two cores for them."""
    return min(2, available_cores())
