"""The words whose vectors lie nearest to a word's."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.checks import check_keyed_vectors
from tf_bertembed.vectors.keyed_vectors import has_ngrams
from tf_bertembed.vectors.spellings import suggest


def nearest_neighbours(keyed_vectors, words, *, count=10):
    """List the nearest words to each of some words, by cosine.

    Words are looked up as written. fastText vectors that have n-grams also
    give unknown words a vector. Words whose vector is zeros have no cosine
    and are never among the neighbours.

    Args:
        keyed_vectors: gensim `KeyedVectors`. The word vectors.
        words: iterable of strings. The words to start from.
        count: int. How many neighbours of each.

    Returns:
        A list of a dict for each word: `word`, `by_ngrams` (bool), and
        `neighbours`, a list of dicts of `word` and `cosine` (float), nearest
        first.

    Raises:
        BertEmbedError: where a word has no vector (the message names it, and
            words that may be meant), or one of zeros.

    Example:

    ```python
    from tf_bertembed import vectors

    glove = vectors.load("glove-6b-50d", limit=5000)
    (report,) = vectors.nearest_neighbours(glove, ["france"], count=3)
    assert [found["word"] for found in report["neighbours"]] == ["french", "belgium", "paris"]
    ```
    """
    common.check_at_least(1, count=count)
    if isinstance(words, str):
        raise common.BertEmbedError(
            f"`words` must be several strings, a list for example. Received: {words!r}."
        )
    check_keyed_vectors(keyed_vectors)
    words = list(words)
    ngrams = has_ngrams(keyed_vectors)
    missing = [word for word in words if word not in keyed_vectors.key_to_index]
    if missing and not ngrams:
        raise common.BertEmbedError(" ".join(_unknown(keyed_vectors, word) for word in missing))
    return [
        {
            "word": word,
            "by_ngrams": word in missing,
            "neighbours": _nearest(keyed_vectors, word, count),
        }
        for word in words
    ]


def _unknown(keyed_vectors, word):
    near = suggest(keyed_vectors, word)
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"There is no vector for {word!r} among the {len(keyed_vectors)} words.{meant}"


def _nearest(keyed_vectors, word, count):
    if not keyed_vectors[word].any():
        raise common.BertEmbedError(
            f"The vector of {word!r} is zeros: it has no direction, and so no neighbours."
        )
    with np.errstate(invalid="ignore"):
        cosines = keyed_vectors.most_similar(positive=[word], topn=None)
    # The cosine of a vector of zeros is not a number.
    cosines = np.nan_to_num(cosines, nan=-np.inf)
    if word in keyed_vectors.key_to_index:
        cosines[keyed_vectors.key_to_index[word]] = -np.inf
    rows = np.argsort(-cosines, kind="stable")[:count]
    return [
        {"word": keyed_vectors.index_to_key[row], "cosine": float(cosines[row])}
        for row in rows
        if np.isfinite(cosines[row])
    ]
