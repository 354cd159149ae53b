"""WordPiece on [B] strings with the kernels of `tensorflow_text`, as BERT was published."""

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from tf_bertembed.text.normalizer import normalizer_model
from tf_bertembed.text.vocabulary import UNKNOWN

LONGEST_CHARACTER = 4  # bytes of UTF-8


class WordPiece(tf.Module):
    """The kernels and constants of one vocabulary; texts in, ragged pieces out."""

    def __init__(self, vocabulary, lowercase, max_chars_per_word, dtype):
        super().__init__(name="wordpiece")
        self._max_chars = max_chars_per_word
        self._unknown = vocabulary.index(UNKNOWN)
        # Made outside of any graph under construction, which would own them.
        with tf.init_scope():
            model = np.frombuffer(normalizer_model(lowercase), np.uint8)
            self._normalizer = tf_text.FastBertNormalizer(model_buffer=tf.constant(model))
            self._kernel = tf_text.FastWordpieceTokenizer(
                vocab=vocabulary,
                max_bytes_per_word=LONGEST_CHARACTER * max_chars_per_word,
                token_out_type=tf.as_dtype(dtype),
                unknown_token=UNKNOWN,
                support_detokenization=True,
            )
            self._continues = tf.constant(
                [piece.startswith("##") and len(piece) > 2 for piece in vocabulary]
            )

    def starts_word(self, ids):
        """Whether each piece starts a word."""
        return tf.logical_not(tf.gather(self._continues, ids))

    def split(self, texts):
        """The ids of [B] texts, as a tuple of one ragged tensor."""
        ids, _, _, rows = self._pieces(self._normalizer.normalize(texts))
        return (_ragged(ids, rows, texts),)

    def split_with_offsets(self, texts):
        """Ids, and the bytes where pieces start and end in [B] texts, as ragged tensors."""
        normalized, origins = self._normalizer.normalize_with_offsets(texts)
        ids, starts, ends, rows = self._pieces(normalized)
        pieces = _ragged(ids, rows, texts)
        base = tf.gather(tf.cast(origins.row_starts(), tf.int64), rows)
        return (
            pieces,
            pieces.with_values(tf.gather(origins.values, base + starts)),
            pieces.with_values(tf.gather(origins.values, base + ends)),
        )

    def join(self, ids):
        """Text of ids."""
        return self._kernel.detokenize(ids)

    def _pieces(self, normalized):
        ids, starts, ends = self._kernel.tokenize_with_offsets(normalized)
        rows, ids, starts, ends = ids.value_rowids(), ids.values, starts.values, ends.values
        first = self.starts_word(ids)
        word = tf.cumsum(tf.cast(first, tf.int64)) - 1
        first_pieces = tf.where(first)[:, 0]
        word_start = tf.gather(starts, first_pieces)

        def replace():
            # The kernel counts bytes; what counts is characters.
            word_end = tf.math.segment_max(ends, word)
            source = tf.gather(normalized, tf.gather(rows, first_pieces))
            characters = tf.strings.length(
                tf.strings.substr(source, word_start, word_end - word_start), unit="UTF8_CHAR"
            )
            long = tf.gather(characters > self._max_chars, word)
            keep = tf.logical_or(first, tf.logical_not(long))
            replaced = (
                tf.where(long, tf.cast(self._unknown, ids.dtype), ids),
                starts,
                tf.where(long, tf.gather(word_end, word), ends),
                rows,
            )
            return tuple(tf.boolean_mask(values, keep) for values in replaced)

        many_bytes = tf.reduce_any(ends - tf.gather(word_start, word) > self._max_chars)
        return tf.cond(many_bytes, replace, lambda: (ids, starts, ends, rows))


def _ragged(values, rows, texts):
    count = tf.size(texts, out_type=tf.int64)
    return tf.RaggedTensor.from_value_rowids(values, rows, count, validate=False)
