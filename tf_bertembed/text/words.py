"""From pieces to whole words, and from words to rows of a word-vector table."""

import tensorflow as tf
import tensorflow_text as tf_text

from tf_bertembed import common
from tf_bertembed.text.wordpiece import originals

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
            self.has_cased = bool(tf.reduce_any(keys != lowered))

    def rows(self, words):
        """Rows [N] int32 of words [N], 0 for words that the table lacks."""
        # Most words are found at once. Where all keys are lower-cased, one that lower-casing ASCII
        # finds is what full lower-casing makes of the word.
        rows = self._table.lookup(words if self.has_cased else tf.strings.lower(words))
        missed = tf.where(tf.equal(rows, 0))
        found = self._search(tf.gather_nd(words, missed))
        return tf.cast(tf.tensor_scatter_nd_update(rows, missed, found), tf.int32)

    def _search(self, words):
        plain = tf_text.normalize_utf8(tf.strings.regex_replace(words, INVISIBLE, ""), "NFC")
        rows = tf.zeros_like(words, tf.int64)
        for form in (words, plain):
            if self.has_cased:
                rows = tf.where(rows > 0, rows, self._table.lookup(form))
            lowered = tf.strings.lower(form, encoding="utf-8")
            rows = tf.where(rows > 0, rows, self._table.lookup(lowered))
        return rows


class WordRows(tf.Module):
    """The pieces of texts and the rows of their words, for one tokenizer and one table.

    Only what may differ from its piece is taken out of the text and looked up:
    where normalising left a text as it was, a word of one piece is that piece,
    and the rows of the pieces are known.
    """

    def __init__(self, tokenizer, table):
        super().__init__(name="word_rows")
        self._wordpiece, self._table = tokenizer.wordpiece, table
        # A table that tells cases apart must see the case of the text.
        self._lowers = tokenizer.lowercase and not table.has_cased
        with tf.init_scope():
            pieces = tf.constant(tokenizer.get_vocabulary())
            starts = self._wordpiece.starts_word(tf.range(tf.size(pieces)))
            rows = tf.where(starts, table.rows(pieces), -1)
            self._rows = tf.tensor_scatter_nd_update(rows, [[self._wordpiece.unknown]], [-1])

    def suits(self, tokenizer, table):
        """Whether it was made of these."""
        return self._table is table and self._wordpiece is tokenizer.wordpiece

    def __call__(self, texts):
        """Ids of [B] texts as a ragged tensor, and flat rows [N] int32 of the pieces' words."""
        return self._with_places(texts)[:2]

    def with_offsets(self, texts):
        """The same, and the bytes of the texts where pieces start and end, flat [N]."""
        ids, rows, origins, starts, ends = self._with_places(texts)
        return ids, rows, *originals(origins, ids, starts, ends)

    def _with_places(self, texts):
        """Ids, rows, and the bytes of the normalised texts with where those come from."""
        normalized, origins = self._wordpiece.normalize(texts)
        ids, starts, ends = self._wordpiece.pieces(normalized)
        first = self._wordpiece.starts_word(ids.values)
        begins = tf.where(first)[:, 0]
        lasts = tf.concat([begins[1:], tf.size(first, tf.int64)[tf.newaxis]], axis=0) - 1
        text = tf.searchsorted(ids.row_splits, begins, side="right", out_type=tf.int64) - 1
        same = tf.equal(normalized, tf.strings.lower(texts) if self._lowers else texts)
        rows = tf.gather(self._rows, tf.gather(ids.values, begins))
        known = tf.logical_and(tf.equal(begins, lasts), tf.gather(same, text)) & (rows >= 0)
        others = tf.where(tf.logical_not(known))
        text = tf.gather_nd(text, others)
        base = tf.gather(tf.cast(origins.row_starts(), tf.int64), text)
        begin = tf.gather(origins.values, base + tf.gather(starts, tf.gather_nd(begins, others)))
        end = tf.gather(origins.values, base + tf.gather(ends, tf.gather_nd(lasts, others)))
        words = tf.strings.substr(tf.gather(texts, text), begin, end - begin)
        rows = tf.tensor_scatter_nd_update(rows, others, self._table.rows(words))
        rows = tf.gather(rows, tf.cumsum(tf.cast(first, tf.int32)) - 1)
        return ids, rows, origins, starts, ends
