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


class Layout:
    """Where each piece of one or two ragged segments goes in a padded [B, T] tensor.

    Made once for a batch, and then filled with ids, rows of words and so on.
    A column that no segment fills holds [CLS], [SEP] or padding.
    """

    def __init__(self, segments, sequence_length, pad_to_length=False):
        lengths = [segment.row_lengths() for segment in segments]
        if len(segments) == 1:
            kept = [tf.minimum(lengths[0], sequence_length - 2)]
            begins = [tf.ones_like(kept[0])]
        else:
            kept = longest_first(*lengths, sequence_length - 3)
            begins = [tf.ones_like(kept[0]), kept[0] + 2]
        self.separators = [begin + count for begin, count in zip(begins, kept, strict=True)]
        if pad_to_length:
            self.width = tf.constant(sequence_length, tf.int64)
        else:
            # No texts at all still make a [0, 2] tensor, which a backbone can take.
            self.width = tf.maximum(tf.reduce_max(self.separators[-1]) + 1, 2)
        self.shape = tf.stack([segments[0].nrows(), self.width])
        self._static_width = sequence_length if pad_to_length else None
        self._chosen, index = [], []
        for segment, limit, begin in zip(segments, kept, begins, strict=True):
            rows = segment.value_rowids()
            place = tf.range(tf.size(rows, out_type=tf.int64)) - tf.gather(
                segment.row_starts(), rows
            )
            chosen = tf.where(place < tf.gather(limit, rows))[:, 0]
            rows = tf.gather(rows, chosen)
            column = tf.gather(place, chosen) + tf.gather(begin, rows)
            index.append(tf.stack([rows, column], axis=1))
            self._chosen.append(chosen)
        self._index = tf.concat(index, axis=0)

    def fill(self, segments):
        """Put the values of ragged segments into place, zeros elsewhere: [B, T] int32."""
        values = [
            tf.gather(segment.values, chosen)
            for segment, chosen in zip(segments, self._chosen, strict=True)
        ]
        dense = tf.scatter_nd(self._index, tf.cast(tf.concat(values, axis=0), tf.int32), self.shape)
        return tf.ensure_shape(dense, [None, self._static_width])

    def columns(self):
        """The column numbers [1, T] int64."""
        return tf.range(self.width)[tf.newaxis]

    def is_separator(self):
        """True at each [SEP], [B, T]."""
        columns = self.columns()
        first, *rest = [columns == place[:, tf.newaxis] for place in self.separators]
        return tf.logical_or(first, rest[0]) if rest else first

    def mask(self):
        """True where there is a piece or a special token, [B, T]."""
        return self.columns() <= self.separators[-1][:, tf.newaxis]

    def segment_ids(self):
        """1 from the first piece of the second text to its [SEP], 0 elsewhere: [B, T] int32."""
        second = self.columns() > self.separators[0][:, tf.newaxis]
        return tf.cast(tf.logical_and(second, self.mask()), tf.int32)
