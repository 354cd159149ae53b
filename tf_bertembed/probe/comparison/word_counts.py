"""TF-IDF as it would be learned from each training part alone, from one count of all texts."""

import unicodedata

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from tf_bertembed.common import BertEmbedError

# Scripts that put no space between words.
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
# Texts that are looked at to tell.
LOOKED_AT = 1000
# Words of one letter too, which scikit-learn's own pattern leaves out.
WORDS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
CHARACTERS = {"analyzer": "char", "ngram_range": (1, 3)}


def count_settings(texts):
    """Choose words or characters: characters where most letters are of unspaced scripts.

    Args:
        texts: list of strings; the first thousand are looked at.

    Returns:
        A dict of arguments of `CountVectorizer`.
    """
    letters = [letter for text in texts[:LOOKED_AT] for letter in text if letter.isalpha()]
    unspaced = sum(
        unicodedata.name(letter, "").startswith(UNSPACED)
        for letter in letters
        if not letter.isascii()
    )
    return CHARACTERS if 2 * unspaced > len(letters) else WORDS


class TfidfCounts:
    """Counts n-grams once; weighs them by any training part.

    As `TfidfVectorizer(sublinear_tf=True, min_df=2)` fitted to the training
    part: n-grams that fewer than two of its texts hold are left out. (Of very
    few texts, where none stands in two, all are kept.)

    Args:
        texts: list of N strings.
        settings: dict, as `count_settings` gives it.
    """

    def __init__(self, texts, settings):
        try:
            self._counts = CountVectorizer(**settings, dtype=np.float32).fit_transform(texts)
        except ValueError as error:
            raise BertEmbedError(f"No text holds a word to count: {error}.") from error

    def weighed_by(self, rows):
        """Compute the features of all texts.

        Args:
            rows: int array. The training part, whose labels are not looked at.

        Returns:
            A sparse matrix `[N, F]`, float32, rows of length 1.
        """
        texts_with = np.asarray((self._counts[rows] > 0).sum(axis=0)).ravel()
        kept = np.flatnonzero(texts_with >= 2)
        if not len(kept):
            kept = np.flatnonzero(texts_with)
        counts = self._counts[:, kept]
        return sparse.csr_matrix(
            TfidfTransformer(sublinear_tf=True).fit(counts[rows]).transform(counts)
        )
