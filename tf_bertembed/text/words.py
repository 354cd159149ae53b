"""From pieces to whole words, and from words to rows of a word-vector table."""

import tensorflow as tf
import tensorflow_text as tf_text

from tf_bertembed import common

# What the tokenizer drops: control, format (zero width) and private characters.
INVISIBLE = r"[\p{Cc}\p{Cf}\p{Co}]+"


class WordTable(tf.Module):
    """Looks words up in the graph; row 0 is "none".

    A word is looked up as written, then lower-cased, then both again without
    its invisible characters and composed (NFC), so that an "é" of two
    characters is found as well as one of one.
    """

    def __init__(self, words):
        super().__init__(name="static_words")
        self.words = list(words)
        for index, word in enumerate(self.words):
            if not isinstance(word, str) or not word or "\n" in word:
                raise common.BertEmbedError(
                    "`static_words` must be non-empty strings without line ends. "
                    f"Received: {word!r} at index {index}."
                )
        if len(set(self.words)) < len(self.words):
            seen = set()
            word = next(word for word in self.words if word in seen or seen.add(word))
            raise common.BertEmbedError(f"`static_words` holds {word!r} more than once.")
        if not self.words:
            raise common.BertEmbedError("`static_words` is empty. Pass `None` to have no words.")
        with tf.init_scope():
            keys = tf.constant(self.words)
            rows = tf.range(1, len(self.words) + 1, dtype=tf.int64)
            # Keys of int32 values are not supported on every device.
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(keys, rows), default_value=0
            )
            lowered = tf.strings.lower(keys, encoding="utf-8")
            self._has_cased = bool(tf.reduce_any(keys != lowered))

    def rows(self, words):
        """Rows [N] int32 of words [N], 0 for words that the table lacks."""
        plain = tf_text.normalize_utf8(tf.strings.regex_replace(words, INVISIBLE, ""), "NFC")
        rows = tf.zeros_like(words, tf.int64)
        for form in (words, plain):
            if self._has_cased:
                rows = tf.where(rows > 0, rows, self._table.lookup(form))
            lowered = tf.strings.lower(form, encoding="utf-8")
            rows = tf.where(rows > 0, rows, self._table.lookup(lowered))
        return tf.cast(rows, tf.int32)

    def rows_of_pieces(self, texts, starts_word, starts, ends):
        """Rows of the words that the pieces of [B] texts belong to, as a ragged tensor."""
        first = starts_word.values
        word = tf.cumsum(tf.cast(first, tf.int64)) - 1
        where = tf.where(first)[:, 0]
        begin = tf.gather(starts.values, where)
        end = tf.math.segment_max(ends.values, word)
        source = tf.gather(texts, tf.gather(starts.value_rowids(), where))
        rows = self.rows(tf.strings.substr(source, begin, end - begin))
        return starts.with_values(tf.gather(rows, word))
