"""WordPiece on [B] strings with the kernels of `tensorflow_text`, as BERT was published."""

import flatbuffers.table
import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text
from flatbuffers import encode, number_types
from tensorflow_text.core.pybinds import pywrap_fast_wordpiece_tokenizer_model_builder

from tf_bertembed import common
from tf_bertembed.text.normalizer import PRIVATE, hide_chinese, normalizer_model
from tf_bertembed.text.vocabulary import UNKNOWN

LONGEST_CHARACTER = 4  # bytes of UTF-8
# Where fast_wordpiece_tokenizer_model.fbs has `max_bytes_per_token`.
LIMIT_SLOT = 4


class WordPiece(tf.Module):
    """The kernels and constants of one vocabulary; texts in, ragged pieces out."""

    def __init__(self, vocabulary, rules, max_chars_per_word, dtype):
        super().__init__(name="wordpiece")
        self._max_chars = max_chars_per_word
        self._dtype = tf.as_dtype(dtype)
        self._hides = not rules.split_chinese
        self.unknown = vocabulary.index(UNKNOWN)
        self._vocabulary, self._joins = vocabulary, None
        model = _model(_hide(vocabulary) if self._hides else vocabulary, max_chars_per_word)
        self._limit_place = _limit_place(model, max_chars_per_word)
        # Made outside of any graph under construction, which would own them.
        with tf.init_scope():
            rules = tf.constant(np.frombuffer(normalizer_model(rules), np.uint8))
            self._normalizer = tf_text.FastBertNormalizer(model_buffer=rules)
            # As an array: the kernel's own class would go through a list of millions of ints.
            self._model = tf.constant(np.frombuffer(model, np.uint8))
            self._kernel = self._kernel_of(self._model)
            self._continues = tf.constant(
                [piece.startswith("##") and len(piece) > 2 for piece in vocabulary]
            )

    def starts_word(self, ids):
        """Whether each piece starts a word."""
        return tf.logical_not(tf.gather(self._continues, ids))

    def normalize(self, texts):
        """The normalised [B] texts, and for each of their bytes the byte of the original."""
        return self._normalizer.normalize_with_offsets(texts)

    def split(self, texts):
        """The ids of [B] texts, as a tuple of one ragged tensor."""
        return (self.pieces(self._normalizer.normalize(texts), spans=False),)

    def split_with_offsets(self, texts):
        """Ids, and the bytes where pieces start and end in [B] texts, as ragged tensors."""
        normalized, origins = self.normalize(texts)
        ids, *places = self.pieces(normalized)
        return (ids, *(ids.with_values(found) for found in originals(origins, ids, *places)))

    def join(self, ids):
        """Text of ids."""
        if self._joins is None:
            self._joins = self._kernel
            if self._hides:
                with tf.init_scope():
                    model = _model(self._vocabulary, self._max_chars)
                    self._joins = self._kernel_of(tf.constant(np.frombuffer(model, np.uint8)))
        return self._joins.detokenize(ids)

    def pieces(self, normalized, spans=True):
        """Ragged ids of normalised texts; with `spans` a tuple with the flat bytes in these."""
        kept = self._run(self._kernel, normalized)
        # The kernel counts bytes, and what is too long for it is one unknown piece. What counts
        # is characters, so a word past the limit in bytes has all of them cut again.
        longest = tf.reduce_max(kept[3] - kept[2])
        wanted = slice(None) if spans else slice(2)
        ids, splits, *spans = tf.cond(
            longest > self._max_chars,
            lambda: self._cut_long(normalized)[wanted],
            lambda: kept[wanted],
        )
        ids = tf.RaggedTensor.from_row_splits(ids, splits, validate=False)
        return (ids, *spans) if spans else ids

    def _kernel_of(self, model):
        return tf_text.FastWordpieceTokenizer(model_buffer=model, token_out_type=self._dtype)

    def _run(self, kernel, normalized):
        ids, starts, ends = kernel.tokenize_with_offsets(normalized)
        return ids.values, ids.row_splits, starts.values, ends.values

    def _cut_long(self, normalized):
        limit = np.array([LONGEST_CHARACTER * self._max_chars], "<i4").view(np.uint8)
        place = self._limit_place
        model = tf.concat([self._model[:place], limit, self._model[place + len(limit) :]], axis=0)
        ids, splits, starts, ends = self._run(self._kernel_of(model), normalized)
        rows = tf.ragged.row_splits_to_segment_ids(splits)
        first = self.starts_word(ids)
        word = tf.cumsum(tf.cast(first, tf.int64)) - 1
        first_pieces = tf.where(first)[:, 0]
        word_start = tf.gather(starts, first_pieces)
        word_end = tf.math.segment_max(ends, word)
        # Counted in the bytes of all texts together: to take each word out of its text would
        # copy the whole text for each.
        texts_begin = tf.cumsum(tf.cast(tf.strings.length(normalized), tf.int64), exclusive=True)
        begin = tf.gather(texts_begin, tf.gather(rows, first_pieces))
        counted = characters_before(tf.strings.reduce_join(normalized))
        characters = tf.gather(counted, begin + word_end) - tf.gather(counted, begin + word_start)
        long = tf.gather(characters > self._max_chars, word)
        keep = tf.logical_or(first, tf.logical_not(long))
        ids = tf.where(long, tf.cast(self.unknown, ids.dtype), ids)
        ends = tf.where(long, tf.gather(word_end, word), ends)
        before = tf.concat([[0], tf.cumsum(tf.cast(keep, tf.int64))], axis=0)
        ids, starts, ends = (tf.boolean_mask(values, keep) for values in (ids, starts, ends))
        return ids, tf.gather(before, splits), starts, ends


def originals(origins, ids, *places):
    """Flat bytes of the original texts for those of the normalised ones at which pieces stand."""
    base = tf.gather(tf.cast(origins.row_starts(), tf.int64), ids.value_rowids())
    return [tf.gather(origins.values, base + place) for place in places]


def characters_before(text):
    """How many characters begin before each byte of a text, and before its end: [N + 1] int64."""
    continues = tf.bitwise.bitwise_and(tf.io.decode_raw(text, tf.uint8), 0xC0) == 0x80
    return tf.concat([[0], tf.cumsum(tf.cast(~continues, tf.int64))], axis=0)


def _model(vocabulary, max_bytes):
    build = pywrap_fast_wordpiece_tokenizer_model_builder.build_fast_wordpiece_model
    return build(vocabulary, max_bytes, "##", UNKNOWN, False, True)


def _hide(vocabulary):
    for piece in vocabulary:
        if max(piece) >= chr(PRIVATE[0][0]):
            raise common.BertEmbedError(
                "With tokenize_chinese_chars=False a vocabulary must not hold characters of the "
                f"private planes. Received: {piece!r}."
            )
    return [hide_chinese(piece) for piece in vocabulary]


def _limit_place(model, limit):
    """The byte at which a model has its limit of bytes per word."""
    root = encode.Get(number_types.UOffsetTFlags.packer_type, model, 0)
    table = flatbuffers.table.Table(bytearray(model), root)
    place = root + table.Offset(4 + 2 * LIMIT_SLOT)
    if table.Get(number_types.Int32Flags, place) != limit:
        raise RuntimeError("tensorflow_text lays its WordPiece models out in another way now.")
    return place
