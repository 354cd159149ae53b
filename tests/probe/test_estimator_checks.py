"""scikit-learn's own checks of estimators: which are passed, and which are not for texts.

The lists: `pytest -rP tests/probe/test_estimator_checks.py`, with `-m "slow or not slow"` for that
of `BertEmbedTransformer` too.
"""

import numpy as np
import pytest
from gensim.test.utils import datapath
from sklearn.utils.estimator_checks import check_estimator

from tf_bertembed import vectors
from tf_bertembed.probe import BertEmbedTransformer, WhiteningTransformer, WordVectorTransformer

# What the text transformers do not pass, and why. Each really fails: see `judge`.
EXCLUDED = {
    "check_n_features_in": "a text has no features in, so there is no `n_features_in_`",
    "check_n_features_in_after_fitting": "a text has no features in, so there is no number of them",
    "check_transformer_general": "expects an error for another number of columns in `transform`; "
    "a row of any number of columns is one text here",
    "check_fit2d_predict1d": "expects advice to reshape; one dimension is the right form of texts",
    "check_dtype_object": "expects that an array of Python floats is read; it holds no text",
    "check_complex_data": "expects words on complex numbers; told is that a number is no text",
    "check_estimators_nan_inf": "expects the word NaN; told is the row and what it holds",
    "check_estimators_empty_data_messages": "expects that no rows are refused; without texts "
    "`fit` still learns the width, and `transform` gives an array of no rows",
}
ONE_SAMPLE = {
    "check_fit2d_1sample": "expects words on samples; told is that components are learned from "
    "two texts or more",
}


def as_texts(X, words):
    """A table of numbers as texts: each number as a word, a row that is not finite as `None`."""
    array = np.asarray(X)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        return X
    texts = [" ".join(words[hash(float(value)) % len(words)] for value in row) for row in array]
    return [one if np.isfinite(row).all() else None for one, row in zip(texts, array, strict=True)]


class OfNumbers:
    """Before a transformer of texts: the checks know numbers only."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Without this no check would run at all.
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        return tags

    def fit(self, X, y=None):
        return super().fit(as_texts(X, WORDS), y)

    def transform(self, X):
        return super().transform(as_texts(X, WORDS))


class WordVectorsOfNumbers(OfNumbers, WordVectorTransformer):
    pass


class BertOfNumbers(OfNumbers, BertEmbedTransformer):
    pass


GLOVE = datapath("test_glove.txt")
WORDS = vectors.load(GLOVE).index_to_key


def judge(estimator, excluded):
    """Run all checks; those excluded must fail, and all others pass."""
    found = check_estimator(estimator, on_skip=None, on_fail=None)
    names = {status: set() for status in ("passed", "failed", "skipped", "xfail")}
    for one in found:
        names[one["status"]].add(one["check_name"])
    passed, failed = names["passed"] - names["failed"], names["failed"]
    print(f"{estimator!r}: {len(passed)} checks passed")
    print("\n".join(f"  passed  {name}" for name in sorted(passed)))
    print("\n".join(f"  not for texts  {name}: {why}" for name, why in excluded.items()))
    print("\n".join(f"  skipped by scikit-learn  {name}" for name in sorted(names["skipped"])))
    assert failed == set(excluded), [
        (one["check_name"], one["exception"]) for one in found if one["status"] == "failed"
    ]
    return passed


def test_whitening_passes_all():
    passed = judge(WhiteningTransformer(), {})
    assert {"check_n_features_in", "check_transformer_preserve_dtypes"} <= passed
    assert len(passed) >= 40


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"weighting": "sif", "components_removed": 1}, ONE_SAMPLE),
        pytest.param({}, {}, marks=pytest.mark.slow),
    ],
)
def test_word_vectors(settings, more):
    passed = judge(WordVectorsOfNumbers(GLOVE, **settings), {**EXCLUDED, **more})
    assert len(passed) >= 30


@pytest.mark.slow
def test_a_bert(preset, tmp_path):
    # With a cache a text has one vector, whatever batch it came in first.
    passed = judge(BertOfNumbers(str(preset), cache=str(tmp_path)), EXCLUDED)
    assert {"check_methods_subset_invariance", "check_fit_idempotent"} <= passed
    assert len(passed) >= 30
