"""[CLS] a [SEP] b [SEP] out of ragged tensors, with few core TensorFlow ops."""

import tensorflow as tf

# Places before the first value, for what is no piece.
PAD, CLS, SEP, SPECIAL = range(4)


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


class Layout:
    """Where each piece of one or two segments goes in a padded [B, T] tensor.

    Made once for a batch, and then filled with ids, rows of words and so on.
    The segments stand in one ragged tensor: [B] first ones, then, for pairs,
    [B] second ones. A column that no segment fills is [CLS], [SEP] or padding.

    Args:
        row_splits: int64 tensor [B + 1], or [2 * B + 1] for pairs.
        segments: int. 1 or 2.
        sequence_length: int. The most columns.
        pad_to_length: bool. Whether there are that many columns always.
    """

    def __init__(self, row_splits, segments, sequence_length, pad_to_length=False):
        splits = tf.cast(row_splits, tf.int32)
        starts, lengths = splits[:-1], splits[1:] - splits[:-1]
        if segments == 1:
            self._ends = [tf.minimum(lengths, sequence_length - 2) + 1]
        else:
            starts, second_starts = tf.split(starts, 2)
            first, second = longest_first(*tf.split(lengths, 2), sequence_length - 3)
            self._ends = [first + 1, first + second + 2]
        self._ends = [end[:, tf.newaxis] for end in self._ends]
        if pad_to_length:
            width = sequence_length
        else:
            # No texts at all still make a [0, 2] tensor, which a backbone can take.
            width = tf.maximum(tf.reduce_max(self._ends[-1]) + 1, 2)
        self.columns = tf.range(width)[tf.newaxis]
        self.mask = tf.less_equal(self.columns, self._ends[-1])
        shift = starts[:, tf.newaxis] + (SPECIAL - 1)
        separator = tf.equal(self.columns, self._ends[-1])
        if segments == 2:
            second_shift = second_starts[:, tf.newaxis] - self._ends[0] + (SPECIAL - 1)
            shift = tf.where(self.columns < self._ends[0], shift, second_shift)
            separator = tf.logical_or(separator, tf.equal(self.columns, self._ends[0]))
        place = tf.where(self.mask, self.columns + shift, PAD)
        place = tf.where(tf.equal(self.columns, 0), CLS, place)
        self._place = tf.where(separator, SEP, place)

    def fill(self, values, pad=0, cls=0, sep=0):
        """Put the flat values of the segments into place: [B, T] int32."""
        special = tf.constant([pad, cls, sep], tf.int32)
        return tf.gather(tf.concat([special, tf.cast(values, tf.int32)], axis=0), self._place)

    def segment_ids(self):
        """1 from the first piece of the second text to its [SEP], 0 elsewhere: [B, T] int32."""
        if len(self._ends) == 1:
            return tf.zeros_like(self._place)
        second = tf.logical_and(tf.greater(self.columns, self._ends[0]), self.mask)
        return tf.cast(second, tf.int32)
