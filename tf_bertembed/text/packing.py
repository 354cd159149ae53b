"""[CLS] a [SEP] b [SEP] out of ragged tensors, with core TensorFlow ops only."""

import tensorflow as tf


def longest_first(first, second, budget):
    """How many pieces to keep of two texts so that they fit into `budget` together.

    The longer text gives way until both are equally long; then both do. As in
    the package `tokenizers`, the odd piece stays with the longer text, and
    with the second one where they are equal.
    """
    short = tf.minimum(tf.minimum(first, second), budget // 2)
    long = tf.minimum(tf.maximum(first, second), budget - short)
    longer_first = first > second
    return tf.where(longer_first, long, short), tf.where(longer_first, short, long)


def keep_first(ragged, count):
    """Cut row i of a ragged tensor to its first count[i] values."""
    rows = ragged.value_rowids()
    place = tf.range(tf.size(rows, out_type=tf.int64)) - tf.gather(ragged.row_starts(), rows)
    kept = tf.boolean_mask(ragged.values, place < tf.gather(count, rows))
    return tf.RaggedTensor.from_row_lengths(kept, count, validate=False)


def pack(segments, sequence_length, start, separator):
    """Join ragged segments to `start a separator [b separator]`, truncated to fit.

    Returns the ragged ids, cut to `sequence_length`, and the length [B] of
    `start a separator`, which is where the second text's pieces begin.
    """
    lengths = [segment.row_lengths() for segment in segments]
    if len(segments) == 1:
        kept = [tf.minimum(lengths[0], sequence_length - 2)]
    else:
        kept = longest_first(*lengths, sequence_length - 3)
    count = segments[0].nrows()

    def column(value):
        return tf.fill([count, 1], tf.cast(value, segments[0].dtype))

    parts = [column(start)]
    for segment, limit in zip(segments, kept, strict=True):
        parts += [keep_first(segment, limit), column(separator)]
    return tf.concat(parts, axis=1), kept[0] + 2
