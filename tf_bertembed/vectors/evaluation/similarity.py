"""How word vectors rank pairs of words, beside how people do."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from scipy import stats

from tf_bertembed import common
from tf_bertembed.vectors.checks import check_keyed_vectors
from tf_bertembed.vectors.evaluation import evaluation_sets
from tf_bertembed.vectors.keyed_vectors import has_ngrams
from tf_bertembed.vectors.spellings import find_words

# Two pairs always lie on a line.
FEWEST = 3


def evaluate_similarity(
    keyed_vectors, pairs="wordsim-353", *, case_sensitive=False, unknown_as_zero=False
):
    """Correlate the cosines of word pairs with scores that people gave them.

    gensim's `evaluate_word_pairs` computes the correlations. A word is looked
    up as written and then, unless `case_sensitive`, as the most frequent word
    that differs in case only. A pair with an unknown word is left out and
    counted. fastText vectors that have n-grams give unknown words a vector:
    such pairs take part, and are counted as out of vocabulary all the same,
    and again as `by_ngrams`. A pair with a vector of zeros has no cosine and
    is left out.

    Args:
        keyed_vectors: gensim `KeyedVectors`. The word vectors.
        pairs: string or `pathlib.Path`. A file of `word1 word2 score` lines
            parted by tabs (by white space where a line has no tab), comments
            behind `#`, a header allowed; or `"wordsim-353"` or
            `"simlex-999"`, which gensim carries.
        case_sensitive: bool. Whether words are looked up as written only.
        unknown_as_zero: bool. Whether a pair with an unknown word takes part
            with cosine 0 (gensim's `dummy4unknown`).

    Returns:
        A dict: `name`; `spearman` and `pearson`, floats; `pairs`, all in the
        file, `used`, those behind the correlations, `out_of_vocabulary` with
        a word that is no word of the vectors, `by_ngrams` of these with
        vectors all the same, `zero_vectors` left out for a vector of zeros,
        ints; `out_of_vocabulary_share`, a fraction of 1; `unknown_words`, a
        list of strings; and the two options.

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where a line is not two words and a finite number.
        BertEmbedError: where fewer than three pairs have vectors, all scores
            or all cosines are equal, or a vector is not finite.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    lee = vectors.load(datapath("lee_fasttext.vec"))
    report = vectors.evaluate_similarity(lee, "wordsim-353")
    assert (report["pairs"], report["used"]) == (353, 45)
    assert -1 <= report["spearman"] <= 1
    ```

    References:
        - [Finkelstein et al., 2002](https://doi.org/10.1145/503104.503110)
          (WordSim-353)
        - [Hill et al., 2015](https://aclanthology.org/J15-4004/) (SimLex-999)
    """
    check_keyed_vectors(keyed_vectors, words=[])
    path = evaluation_sets.find(pairs, evaluation_sets.PAIRS, "word pairs")
    scored = evaluation_sets.read_pairs(path)
    words = list(dict.fromkeys(word for *both, _ in scored for word in both))
    spelled = find_words(keyed_vectors, words, case_sensitive)
    check_keyed_vectors(keyed_vectors, words=list(spelled.values()))
    ngrams = has_ngrams(keyed_vectors)
    found = {w: keyed_vectors[spelled.get(w, w)] for w in words if ngrams or w in spelled}
    zeros = {word for word, vector in found.items() if not vector.any()}

    unknown = [pair for pair in scored if not spelled.keys() >= set(pair[:2])]
    composed = [pair for pair in unknown if found.keys() >= set(pair[:2])]
    without_cosine = [pair for pair in scored if zeros & set(pair[:2])]
    used = [
        pair
        for pair in scored
        if not zeros & set(pair[:2]) and (unknown_as_zero or found.keys() >= set(pair[:2]))
    ]
    known = [pair for pair in used if found.keys() >= set(pair[:2])]
    _check_enough(path, scored, used, known, without_cosine)
    spearman, pearson = _correlate(path, used, found)
    return {
        "name": str(pairs),
        "spearman": spearman,
        "pearson": pearson,
        "pairs": len(scored),
        "used": len(used),
        "out_of_vocabulary": len(unknown),
        "out_of_vocabulary_share": len(unknown) / len(scored),
        "by_ngrams": len(composed),
        "zero_vectors": len(without_cosine),
        "unknown_words": [word for word in words if word not in spelled],
        "case_sensitive": case_sensitive,
        "unknown_as_zero": unknown_as_zero,
    }


def _check_enough(path, scored, used, known, without_cosine):
    if len(used) < FEWEST or not known:
        zeros = f", {len(without_cosine)} have one of zeros" if without_cosine else ""
        raise common.BertEmbedError(
            f"{path}: both words of {len(known) or 'none'} of the {len(scored)} pairs have a "
            f"vector{zeros}; a correlation needs {FEWEST} pairs at least. "
            "Are the vectors of this language?"
        )
    scores = {score for *_, score in used}
    if len(scores) == 1:
        raise common.BertEmbedError(
            f"{path}: all {len(used)} pairs with vectors have the same score, so there is no "
            f"correlation. Received: {scores.pop()}."
        )


def _correlate(path, used, found):
    """Spearman and Pearson of the pairs, the words named by their numbers."""
    number = {word: str(row) for row, word in enumerate(found)}
    part = KeyedVectors(len(next(iter(found.values()))))
    part.add_vectors(list(number.values()), np.stack(list(found.values())))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Told below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        place = Path(folder) / "pairs.tsv"
        place.write_text(
            "".join(
                f"{number.get(one, 'unknown')}\t{number.get(other, 'unknown')}\t{score!r}\n"
                for one, other, score in used
            ),
            encoding="utf-8",
        )
        pearson, spearman, _ = part.evaluate_word_pairs(
            str(place), restrict_vocab=None, dummy4unknown=True
        )
    if not np.isfinite([spearman.statistic, pearson.statistic]).all():
        raise common.BertEmbedError(
            f"{path}: all {len(used)} pairs with vectors have the same cosine, so there is no "
            "correlation."
        )
    return float(spearman.statistic), float(pearson.statistic)
