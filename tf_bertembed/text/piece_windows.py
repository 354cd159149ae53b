"""Sequences that are too long for a model, read through windows that overlap."""

import tensorflow as tf


class PieceWindows:
    """N windows over the pieces of B texts, in the order of the texts.

    Each window begins `room - overlap` pieces after the one before; the last
    one of a text ends with the text. A piece is read in a window that shows at
    least half as much as two windows share on each side of it.

    Args:
        row_splits: int tensor [B + 1]. Where the pieces of each text begin and end.
        room: int. The most pieces of a window.
        overlap: int. The pieces that two neighbouring windows share; less than `room`.
    """

    def __init__(self, row_splits, room, overlap):
        splits = tf.cast(row_splits, tf.int32)
        self._overlap, self._step = overlap, room - overlap
        begins, lengths = splits[:-1], splits[1:] - splits[:-1]
        more = tf.maximum(lengths - room, 0)
        # Windows of each text: [B].
        self.counts = 1 + (more + self._step - 1) // self._step
        texts = tf.repeat(tf.range(tf.size(lengths)), self.counts)
        self._latest = more
        first = tf.cumsum(self.counts, exclusive=True)
        place = tf.range(tf.size(texts)) - tf.gather(first, texts)
        starts = tf.gather(begins, texts) + self._start(place, texts)
        sizes = tf.minimum(tf.gather(lengths, texts), room)
        spans = tf.ragged.range(starts, starts + sizes)
        # The pieces of all windows, one after the other, and where each window ends.
        self.pieces, self.row_splits = spans.values, spans.row_splits

    def _start(self, window, texts):
        return tf.minimum(window * self._step, tf.gather(self._latest, texts))

    def find(self, pieces, texts):
        """Where pieces are read, by their places in their texts.

        Args:
            pieces: int32 tensor [M]. The places, counted from the start of the text.
            texts: int tensor [M]. The texts, 0 to B - 1.

        Returns:
            Two int32 tensors [M]: the window, counted from the first of the
            text, and the place in it.
        """
        window = (pieces - self._overlap // 2) // self._step
        window = tf.clip_by_value(window, 0, tf.gather(self.counts, texts) - 1)
        return window, pieces - self._start(window, texts)
