"""How much each word counts in the mean of a text, learned from texts."""

import collections
import math
import numbers

from tf_bertembed.common import BertEmbedError

WEIGHTINGS = (None, "tfidf", "sif")


def check_weighting(weighting, a):
    """Raise `BertEmbedError` where a way of weighting is not known, or `a` no number above 0."""
    if weighting not in WEIGHTINGS:
        raise BertEmbedError(f"`weighting` must be one of {WEIGHTINGS}. Received: {weighting!r}.")
    if not isinstance(a, numbers.Real) or not 0 < a < math.inf:
        raise BertEmbedError(f"`sif_a` must be a finite number above 0. Received: {a!r}.")


def learn_weights(weighting, texts, a):
    """Learn the weight of each word.

    Args:
        weighting: string. `"tfidf"` for the inverse document frequency
            1 + ln((1 + N) / (1 + n)) of a word in n of the N texts; `"sif"`
            for a / (a + p), where p is the share of the word among all
            words; `None` for 1.
        texts: list of N lists of strings, the words of each text.
        a: float. For `"sif"`.

    Returns:
        A pair: a dict of floats, the weights of the words seen, and a float,
        the weight of any other word.

    References:
        - `sklearn.feature_extraction.text.TfidfTransformer`, `smooth_idf`
        - Arora et al., 2017, https://openreview.net/forum?id=SyK00v5xx
    """
    if weighting == "tfidf":
        counts = collections.Counter(word for words in texts for word in set(words))
        unseen = 1 + math.log(1 + len(texts))
        return {word: unseen - math.log(1 + count) for word, count in counts.items()}, unseen
    if weighting == "sif":
        counts = collections.Counter(word for words in texts for word in words)
        total = counts.total()
        return {word: a / (a + count / total) for word, count in counts.items()}, 1.0
    return {}, 1.0
