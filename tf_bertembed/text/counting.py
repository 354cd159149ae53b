"""The words of a corpus, as the tokenizer of a model finds them, and their pieces."""

from collections import Counter

import numpy as np
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.vocabulary import UNKNOWN, iterate_lines

BATCH = 512


def count_words(texts, tokenizer):
    """Count words, spelled as in the texts.

    Args:
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files.
        tokenizer: `BertEmbedTokenizer`. It says where words end.

    Returns:
        A `collections.Counter` of words.

    Raises:
        BertEmbedError: where there is no word.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "##b"])
    words = text.count_words(["Ab c, ab", "c"], tokenizer)
    assert words == {"Ab": 1, "ab": 1, "c": 2, ",": 1}
    ```
    """
    counts = Counter()
    for batch in _batches(texts):
        with tf.device("cpu"):
            batch = tf.constant(batch)
            ids, starts, ends = tokenizer.tokenize_with_offsets(batch)
            if not tf.size(ids.values):
                continue
            begins = tf.where(tokenizer.starts_word(ids.values))[:, 0]
            lasts = tf.concat([begins[1:], tf.size(ids.values, tf.int64)[None]], axis=0) - 1
            begin = tf.gather(starts.values, begins)
            length = tf.gather(ends.values, lasts) - begin
            texts_of = tf.gather(batch, tf.gather(ids.value_rowids(), begins))
            words, _, times = tf.unique_with_counts(tf.strings.substr(texts_of, begin, length))
        for word, count in zip(words.numpy(), times.numpy(), strict=True):
            counts[word.decode()] += int(count)
    if not counts:
        raise common.BertEmbedError("The corpus is empty: no word was found in its texts.")
    return counts


def count_pieces(words, tokenizer):
    """Count how often each piece of a vocabulary occurs in counted words.

    Args:
        words: mapping of strings to ints, as `count_words` gives it.
        tokenizer: `BertEmbedTokenizer`. The tokenizer.

    Returns:
        An int64 array `[vocabulary_size]`.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "##b"])
    counts = text.count_pieces({"ab": 3, "a": 1, "c": 2}, tokenizer)
    assert counts.tolist() == [0, 2, 0, 0, 0, 4, 3]
    ```
    """
    found = np.zeros(tokenizer.vocabulary_size(), np.int64)
    if words:
        ids = tokenizer.tokenize(list(words))
        times = np.repeat(np.array(list(words.values()), np.int64), ids.row_lengths().numpy())
        np.add.at(found, ids.values.numpy(), times)
    return found


def corpus_statistics(words, tokenizer):
    """Tell how a vocabulary cuts counted words.

    Args:
        words: mapping of strings to ints, as `count_words` gives it.
        tokenizer: `BertEmbedTokenizer`. The tokenizer.

    Returns:
        A dict: `words`, how many there are; `pieces_per_word`, their mean;
        `unknown_share`, the share of pieces that are `[UNK]`.
    """
    counts, total = count_pieces(words, tokenizer), sum(words.values())
    unknown = counts[tokenizer.token_to_id(UNKNOWN)]
    return {
        "words": total,
        "pieces_per_word": float(counts.sum() / total),
        "unknown_share": float(unknown / counts.sum()),
    }


def _batches(texts):
    batch = []
    for line in iterate_lines(texts):
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
