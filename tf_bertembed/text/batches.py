"""Batches of texts of like length, so that little of a batch is padding."""

import numpy as np
import tensorflow as tf

from tf_bertembed import common


def length_batches(texts, batch_size=32, max_bytes=None):
    """Cut texts into batches by their length.

    Args:
        texts: sequence of strings, or of tuples of strings for pairs.
        batch_size: int. The most texts that a batch may have.
        max_bytes: int. The most that a batch may measure once padded: its
            number of texts times the UTF-8 bytes of its longest one. A text
            that is longer than this makes a batch alone. `None` for no limit.

    Returns:
        List of int64 arrays. Each holds the places in `texts` of one batch;
        together they hold every place once, the longest texts first.

    Raises:
        BertEmbedError: where `batch_size` or `max_bytes` is less than 1.

    Example:

    ```python
    from tf_bertembed import text

    texts = ["a text", "a longer text", "one", "two"]
    batches = text.length_batches(texts, batch_size=2)
    assert [batch.tolist() for batch in batches] == [[1, 0], [2, 3]]
    ```
    """
    common.check_limits(batch_size=batch_size, max_bytes=max_bytes)
    return _cut([_size(text) for text in texts], batch_size, max_bytes, max_padding=1.0)


def piece_batches(lengths, batch_size=32, max_pieces=None, max_padding=0.05):
    """Cut texts into batches by their exact lengths in pieces.

    What a batch costs is its padded size, the number of its texts times the
    pieces of its longest one. That is bounded, and so is the part of it that
    is padding: a batch ends before a text that is too short for it.

    Args:
        lengths: sequence or array of ints `[N]`. The pieces of each text,
            special tokens included, as `PackedTexts.lengths` has them.
        batch_size: int. The most texts that a batch may have. `None` for no
            limit.
        max_pieces: int. The most pieces that a batch may have once padded.
            A text that is longer than this makes a batch alone. `None` for
            no limit.
        max_padding: float. The largest part of a padded batch that may be
            padding, from 0 (equal lengths only) to 1 (no limit). It holds
            for every batch and so for all of them together.

    Returns:
        List of int64 arrays. Each holds the places in `lengths` of one batch;
        together they hold every place once, the longest texts first, texts of
        equal length in their order.

    Raises:
        BertEmbedError: where `batch_size` or `max_pieces` is less than 1,
            `max_padding` is not from 0 to 1, or a length is negative.

    Example:

    ```python
    from tf_bertembed import text

    batches = text.piece_batches([8, 500, 20, 490, 20], max_pieces=1024)
    assert [batch.tolist() for batch in batches] == [[1, 3], [2, 4], [0]]
    ```
    """
    common.check_limits(batch_size=batch_size, max_pieces=max_pieces)
    if not 0 <= max_padding <= 1:
        raise common.BertEmbedError(
            f"`max_padding` must be a part of a batch, from 0 to 1. Received: {max_padding}."
        )
    return _cut(lengths, batch_size, max_pieces, max_padding)


def _cut(lengths, batch_size, max_padded, max_padding):
    lengths = np.asarray(lengths, dtype=np.int64)
    if lengths.size and lengths.min() < 0:
        raise common.BertEmbedError(
            f"Lengths must not be negative. Received: {lengths.min()} at {lengths.argmin()}."
        )
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    batches, begin = [], 0
    while begin < len(order):
        longest = max(1, ordered[begin])
        size = len(order) - begin if batch_size is None else batch_size
        if max_padded is not None:
            size = min(size, max(1, max_padded // longest))
        if max_padding < 1:
            # Lengths fall, so the part that is padding only grows with the batch.
            pieces = np.cumsum(ordered[begin : begin + size])
            padded = longest * np.arange(1, len(pieces) + 1)
            size = max(1, np.count_nonzero(padded - pieces <= max_padding * padded))
        batches.append(order[begin : begin + size])
        begin += size
    return batches


def _size(text):
    if isinstance(text, str):
        return len(text.encode())
    return len(text) if isinstance(text, bytes) else sum(map(_size, text))


def without_autotuning(dataset):
    """Switch off the autotuner of a `tf.data` pipeline.

    Its thread sleeps for longer and longer and is waited for when an iterator
    is dropped: up to seconds at the end of each pass, however short.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
