"""The probe as a classifier of scikit-learn: its choice of C, and what it obeys."""

import pickle

import numpy as np
import pytest
from gensim.test.utils import datapath
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from tf_bertembed import probe
from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.probe import ProbeClassifier, WordVectorTransformer
from tf_bertembed.probe.probe_classifier import CANDIDATES


@pytest.fixture(scope="module")
def reviews():
    """Two hundred labelled snippets of film reviews."""
    with open(datapath("pang_lee_polarity.cor"), encoding="cp1252") as file:
        labels, texts = zip(*(line.rstrip().split(maxsplit=1) for line in file), strict=True)
    return list(texts), list(labels)


@pytest.fixture(scope="module")
def vectors(glove, reviews):
    return WordVectorTransformer(glove).fit_transform(reviews[0])


# Two candidates and two folds, since the checks fit some hundred times.
@parametrize_with_checks([ProbeClassifier(features=None, C=[0.1, 1.0], cv=2)])
def test_what_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_c_of_the_least_log_loss(vectors, reviews):
    classifier = ProbeClassifier(None, C=[10.0, 0.001, 0.1]).fit(vectors, reviews[1])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    assert classifier.candidates_.tolist() == [0.001, 0.1, 10.0]
    expected = [
        cross_val_score(
            make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000)),
            vectors,
            reviews[1],
            cv=folds,
            scoring="neg_log_loss",
        ).mean()
        for C in (0.001, 0.1, 10.0)
    ]
    np.testing.assert_allclose(classifier.scores_, expected, rtol=1e-5)
    assert int(np.argmax(expected)) == classifier.candidates_.tolist().index(classifier.C_)
    plain = make_pipeline(StandardScaler(), LogisticRegression(C=classifier.C_, max_iter=1000))
    plain.fit(vectors, reviews[1])
    np.testing.assert_allclose(
        classifier.predict_proba(vectors), plain.predict_proba(vectors), rtol=1e-6
    )
    assert classifier.score(vectors, reviews[1]) == plain.score(vectors, reviews[1])


def test_features_are_computed_once(glove, reviews):
    class Counting(WordVectorTransformer):
        calls = 0

        def transform(self, X):
            Counting.calls += 1
            return super().transform(X)

    classifier = ProbeClassifier(Counting(glove)).fit(*reviews)
    assert Counting.calls == 1
    assert len(classifier.scores_) == len(CANDIDATES)
    assert classifier.classes_.tolist() == sorted(set(reviews[1]))
    assert classifier.decision_function(reviews[0][:3]).shape == (3,)


def test_one_c_needs_no_folds():
    X, y = [[0.0], [1.0], [2.0]], ["a", "b", "b"]
    classifier = ProbeClassifier(None, C=2).fit(X, y)
    assert (classifier.C_, classifier.scores_) == (2.0, None)
    with pytest.raises(BertEmbedError, match=r"1 row of 'a'\. Give more rows, or one `C`"):
        ProbeClassifier(None).fit(X, y)


def test_a_small_class_leaves_fewer_folds():
    X, y = load_iris(return_X_y=True)
    rows = np.r_[:3, 50:100, 100:150]
    few = ProbeClassifier(None, C=[0.1, 1.0], cv=5).fit(X[rows], y[rows])
    three = ProbeClassifier(None, C=[0.1, 1.0], cv=3).fit(X[rows], y[rows])
    np.testing.assert_array_equal(few.scores_, three.scores_)


def test_a_splitter_whose_folds_lack_classes():
    X, y = load_iris(return_X_y=True)
    classifier = ProbeClassifier(None, C=[0.1, 1.0], cv=KFold(5)).fit(X, y)
    assert np.isfinite(classifier.scores_).all()


def test_class_weight_scale_and_sparse():
    X, y = load_iris(return_X_y=True)
    # About its mean already: what scaling leaves of dense and of sparse input is the same.
    X = X - X.mean(axis=0)
    for scale in (True, False):
        dense, thin = (
            ProbeClassifier(None, C=1.0, scale=scale, class_weight={0: 5, 1: 1, 2: 1}).fit(form, y)
            for form in (X, csr_matrix(X))
        )
        np.testing.assert_allclose(dense.predict_proba(X), thin.predict_proba(X), atol=2e-3)
    plain = LogisticRegression(max_iter=1000, class_weight={0: 5, 1: 1, 2: 1}).fit(X, y)
    np.testing.assert_allclose(dense.predict_proba(X), plain.predict_proba(X), atol=1e-6)


def test_a_path_means_a_bert(preset, reviews):
    texts, labels = (part[::10] for part in reviews)
    classifier = ProbeClassifier(preset, C=[0.01, 1.0]).fit(texts, labels)
    features = probe.BertEmbedTransformer(preset).fit_transform(texts)
    numeric = ProbeClassifier(None, C=[0.01, 1.0]).fit(features, labels)
    np.testing.assert_allclose(
        classifier.predict_proba(texts), numeric.predict_proba(features), atol=1e-5
    )
    assert len(pickle.dumps(classifier)) < 5000
    again = pickle.loads(pickle.dumps(classifier))  # noqa: S301
    assert again.predict(texts).tolist() == classifier.predict(texts).tolist()


def test_parameters_of_the_features(glove, reviews):
    classifier = ProbeClassifier(WordVectorTransformer(glove), C=0.1)
    assert clone(classifier).get_params()["features__pooling"] == "mean"
    search = GridSearchCV(classifier, {"features__pooling": ["mean", "max"]}, cv=2)
    search.fit(*reviews)
    assert search.best_estimator_.classes_.tolist() == sorted(set(reviews[1]))
    # What was given is not what is fitted.
    assert not hasattr(classifier.features, "n_features_out_")


def test_columns_of_a_frame(glove, reviews):
    pandas = pytest.importorskip("pandas")
    texts, labels = reviews
    frame = pandas.DataFrame({"text": texts, "length": [len(one) for one in texts]})
    columns = ColumnTransformer(
        [("words", WordVectorTransformer(glove), "text"), ("rest", "passthrough", ["length"])]
    )
    classifier = ProbeClassifier(columns, C=0.1).fit(frame, pandas.Series(labels))
    assert classifier.logistic_.n_features_in_ == 51
    assert classifier.predict(frame).shape == (200,)


def test_tags_follow_the_features(glove):
    assert get_tags(ProbeClassifier()).input_tags.string
    assert get_tags(ProbeClassifier(WordVectorTransformer(glove))).input_tags.string
    numeric = get_tags(ProbeClassifier(None)).input_tags
    assert numeric.sparse
    assert not numeric.string


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"C": 0.0}, r"`C` must be a number above 0, a list of such, or None\. Received: 0\.0"),
        ({"C": []}, r"Received: \[\]"),
        ({"C": "large"}, r"Received: 'large'"),
        ({"cv": 1}, r"`cv` must be an int of at least 2 or a splitter\. Received: 1"),
        ({"cv": "five"}, r"Received: 'five'"),
        ({"max_iter": 0}, r"`max_iter` must be an int of at least 1\. Received: 0"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(BertEmbedError, match=message):
        ProbeClassifier(None, **settings).fit([[0.0], [1.0]] * 5, [0, 1] * 5)


def test_labels_of_two_kinds():
    numbers = [[0.0], [1.0]] * 5
    for labels in ([0, "a"] * 5, ["a", 0] * 5):
        for given in (labels, np.array(labels, dtype=object)):
            with pytest.raises(BertEmbedError, match=r"all strings.* Received: numbers, strings"):
                ProbeClassifier(None).fit(numbers, given)
    with pytest.raises(BertEmbedError, match=r"Received: bools, numbers"):
        ProbeClassifier(None).fit(numbers, [True, 0] * 5)
    strings = np.array(["a", np.str_("b")] * 5, dtype=object)
    assert ProbeClassifier(None).fit(numbers, strings).classes_.tolist() == ["a", "b"]


def test_input_that_cannot_be(glove, reviews, tmp_path):
    words = WordVectorTransformer(glove)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ProbeClassifier(words).fit(["a", "b"], ["x"])
    with pytest.raises(BertEmbedError, match=r"2 classes or more\. Received: 1 class, 'x'\."):
        ProbeClassifier(words).fit(["a", "b"], ["x", "x"])
    with pytest.raises(BertEmbedError, match=r"Row 1 holds 3 \(int\)"):
        ProbeClassifier(words, C=1.0).fit(["a", 3], ["x", "y"])
    with pytest.raises(ValueError, match="not fitted yet"):
        ProbeClassifier(words).predict(["a"])
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        ProbeClassifier(str(tmp_path / "nowhere"), C=1.0).fit(["a", "b"], ["x", "y"])
