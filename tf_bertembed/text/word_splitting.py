"""From strings to the words that carry tags, in the graph, with their places in the string."""

import string
import unicodedata

import tensorflow as tf
import tensorflow_text as tf_text

from tf_bertembed.text.wordpiece import characters_before
from tf_bertembed.vectors.wordpiece import IDEOGRAPHS

# What BERT takes for white space and for punctuation: control characters are neither.
WHITE = r"\t\n\r\p{Z}"
PUNCTUATION = r"!-/:-@\[-`{-~\p{P}"
CHINESE = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in IDEOGRAPHS)
# Accents, joiners and variation selectors belong to the character before them.
MARKS = r"[\p{M}\p{Cf}]*"
# What divides words, and which of it is a word itself.
SPLITS = {
    "whitespace": (rf"[{WHITE}]+", ""),
    "punctuation": (rf"[{WHITE}]+|[{PUNCTUATION}{CHINESE}]{MARKS}", rf"[^{WHITE}].*"),
    "characters": (rf"[{WHITE}]+|[^{WHITE}]{MARKS}", rf"[^{WHITE}].*"),
}


def is_punctuation(word):
    """Whether a word is one punctuation mark, as BERT counts them."""
    if len(word) != 1:
        return False
    return word in string.punctuation or unicodedata.category(word).startswith("P")


def split_texts(texts, split):
    """Cut texts into words.

    Args:
        texts: string tensor [B].
        split: string. One of `SPLITS`.

    Returns:
        Three ragged tensors [B, (W)]: the words (strings), and the code
        points of the text where each begins and where it has ended (int32).
    """
    divider, kept = SPLITS[split]
    words, starts, ends = tf_text.regex_split_with_offsets(texts, divider, kept)
    sizes = tf.cast(tf.strings.length(texts), tf.int64)
    base = tf.gather(tf.cumsum(sizes, exclusive=True), words.value_rowids())
    counted = characters_before(tf.strings.reduce_join(texts))
    first = tf.gather(counted, base)

    def characters(offsets):
        offsets = tf.cast(offsets.values, tf.int64)
        return words.with_values(tf.cast(tf.gather(counted, base + offsets) - first, tf.int32))

    return words, characters(starts), characters(ends)


def join_words(words, gap):
    """Join words to texts.

    Args:
        words: ragged string tensor [B, (W)].
        gap: string. What is put between two words.

    Returns:
        The texts [B], and two ragged tensors [B, (W)] int32: the code points
        where each word begins and where it has ended.
    """
    texts = tf.strings.reduce_join(words, axis=1, separator=gap)
    sizes = tf.strings.length(words.values, unit="UTF8_CHAR")
    before = tf.cumsum(sizes + len(gap), exclusive=True)
    base = tf.gather(tf.concat([before, [0]], axis=0), words.row_starts())
    starts = before - tf.gather(base, words.value_rowids())
    return texts, words.with_values(starts), words.with_values(starts + sizes)
