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
    for name, value in (("batch_size", batch_size), ("max_bytes", max_bytes)):
        if value is not None and value < 1:
            raise common.BertEmbedError(f"`{name}` must be at least 1. Received: {value}.")
    lengths = np.array([_size(text) for text in texts], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    batches, begin = [], 0
    while begin < len(order):
        size = batch_size
        if max_bytes is not None:
            size = min(size, max(1, max_bytes // max(1, lengths[order[begin]])))
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
