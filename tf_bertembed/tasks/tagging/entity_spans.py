"""Entities out of tags, in the graph, as seqeval finds them."""

import tensorflow as tf

from tf_bertembed.text.tag_schemes import split_tag

LETTERS = "OBIES"
OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(len(LETTERS))
PADDING = -1


class EntitySpans:
    """Finds entities in rows of tags.

    As `seqeval` and the script `conlleval` do, an entity begins wherever its
    first tag can only be a beginning: at I or E after O, too, and where the
    type changes.

    Args:
        labels: list of C strings. The tags, of one scheme.
    """

    def __init__(self, labels):
        parts = [split_tag(label) for label in labels]
        self.types = sorted({kind for _, kind in parts if kind is not None})
        self._letters = [LETTERS.index(letter) for letter, _ in parts]
        # Outside is a type as well: that of no entity.
        self._kinds = [PADDING if kind is None else self.types.index(kind) for _, kind in parts]

    def __call__(self, tags, known):
        """Find the entities.

        Args:
            tags: int tensor [B, W], 0 to C - 1.
            known: bool tensor [B, W]. Where there is a word.

        Returns:
            Four int32 tensors [K], sorted by row and place: the row of each
            entity, its first and its last word, and its place in `types`.
        """
        letter = tf.where(known, tf.gather(tf.constant(self._letters), tags), OUTSIDE)
        kind = tf.where(known, tf.gather(tf.constant(self._kinds), tags), PADDING)
        letter, kind = (_between(x, edge) for x, edge in ((letter, OUTSIDE), (kind, PADDING)))
        (before, now), (kind_before, kind_now) = ((x[:, :-1], x[:, 1:]) for x in (letter, kind))
        changed = tf.not_equal(kind_before, kind_now)
        ended = tf.not_equal(before, OUTSIDE) & (
            _among(before, END, SINGLE) | _among(now, OUTSIDE, BEGIN, SINGLE) | changed
        )
        begun = tf.not_equal(now, OUTSIDE) & (
            _among(now, BEGIN, SINGLE) | _among(before, OUTSIDE, END, SINGLE) | changed
        )
        # They come in turns in each row, so that the first end is that of the first beginning.
        first = tf.cast(tf.where(begun), tf.int32)
        last = tf.cast(tf.where(ended), tf.int32)[:, 1] - 1
        rows, first = first[:, 0], first[:, 1]
        return rows, first, last, tf.gather_nd(kind_now, tf.stack([rows, first], axis=1))


def _between(values, edge):
    return tf.pad(values, [[0, 0], [1, 1]], constant_values=edge)


def _among(values, *letters):
    found = tf.equal(values, letters[0])
    for letter in letters[1:]:
        found |= tf.equal(values, letter)
    return found
