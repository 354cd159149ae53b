"""A vocabulary with the frequent words of a domain at its end."""

from collections import Counter
from collections.abc import Mapping

import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.counting import count_words
from tf_bertembed.text.normalizer import Rules, normalize_character
from tf_bertembed.text.tokenizer import BertEmbedTokenizer
from tf_bertembed.text.vocabulary import UNKNOWN


def extend_vocabulary(vocabulary, texts, size, lowercase=True, min_frequency=2):
    """Add the words that a vocabulary cuts up or does not know, most frequent first.

    The new pieces stand at the end, so that the ids of all others stay. To
    give a pretrained model rows for them see `models.transfer_vocabulary`.

    Args:
        vocabulary: list of strings, or a `BertEmbedTokenizer`, which then says
            how words are normalised.
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files; or a mapping of words to how often they
            occur (see `count_words`).
        size: int. The most pieces to add; fewer where the texts have no more.
        lowercase: bool. Whether words are lower-cased and freed of accents,
            as the tokenizer that uses the vocabulary will. Not for a
            tokenizer.
        min_frequency: int. How often a word must occur, at least 1.

    Returns:
        List of strings: the vocabulary, then the added words.

    Raises:
        BertEmbedError: where the texts hold no word, or no word to add, or a
            number is out of range.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from tf_bertembed import text

    vocabulary = [*text.SPECIAL_TOKENS, "gen", "##e", "##s", "cell", "a"]
    texts = ["A gene, genes", "Genes: a cell gene gene"]
    assert text.extend_vocabulary(vocabulary, texts, 2)[-2:] == ["gene", "genes"]
    ```
    """
    common.check_at_least(1, size=size, min_frequency=min_frequency)
    tokenizer = vocabulary
    if not isinstance(vocabulary, BertEmbedTokenizer):
        tokenizer = BertEmbedTokenizer(vocabulary, lowercase)
    words = texts if isinstance(texts, Mapping) else count_words(texts, tokenizer)
    counts = Counter()
    spelled = list(words)
    for word, normal in zip(spelled, _normalised(spelled, tokenizer), strict=True):
        counts[normal] += words[word]
    counts.pop("", None)
    frequent = [word for word, count in counts.items() if count >= min_frequency]
    frequent.sort(key=lambda word: (-counts[word], word))
    added = _cut_up(frequent, tokenizer)[:size]
    if not added:
        raise common.BertEmbedError(
            f"There is nothing to add: of {len(counts)} words, {len(frequent)} occur at least "
            f"{min_frequency} times, and the vocabulary has each of them as one piece."
        )
    return [*tokenizer.get_vocabulary(), *added]


def _normalised(words, tokenizer):
    lowercase, strips = tokenizer.lowercase, tokenizer.strip_accents
    rules = Rules(lowercase, lowercase if strips is None else strips)
    made = {c: normalize_character(c, rules) for c in set().union(*words)}
    return ["".join(made[character] for character in word) for word in words]


def _cut_up(words, tokenizer):
    if not words:
        return []
    ids = tokenizer.tokenize(words)
    # A word of a mapping may be several words to the tokenizer, and no piece then.
    begins = tf.reduce_sum(tf.cast(tokenizer.starts_word(ids), tf.int32), axis=1).numpy()
    unknown = tf.cast(tokenizer.token_to_id(UNKNOWN), ids.dtype)
    lacks = tf.reduce_any(ids.with_values(ids.values == unknown), axis=1).numpy()
    cut = (begins == 1) & ((ids.row_lengths().numpy() > 1) | lacks)
    longest = tokenizer.max_chars_per_word
    return [word for word, keep in zip(words, cut, strict=True) if keep and len(word) <= longest]
