"""Texts as lists, arrays, series and columns of frames; and what is no text."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer

from tf_bertembed.common import BertEmbedError
from tf_bertembed.probe import BertEmbedTransformer, WordVectorTransformer


@pytest.fixture(scope="module")
def fitted(preset, texts):
    return BertEmbedTransformer(preset, batch_size=5).fit(texts)


def near(got, expected):
    expected = np.asarray(expected)
    return np.abs(np.asarray(got) - expected).max() / np.abs(expected).max() <= 1e-5


def test_column_of_a_frame(preset, texts, expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"text": texts, "number": range(12)})
    columns = ColumnTransformer(
        [("bert", BertEmbedTransformer(preset), "text"), ("rest", "passthrough", ["number"])]
    )
    features = columns.fit_transform(frame)
    assert near(features[:, :8], expected)
    assert features[:, 8].tolist() == list(range(12))
    names = columns.get_feature_names_out()
    assert names[0] == "bert__bertembedtransformer0"
    columns.set_output(transform="pandas")
    assert columns.fit_transform(frame).columns.tolist() == names.tolist()


def test_two_text_columns_of_a_frame(preset, glove, texts, expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"title": texts[::-1], "body": texts}, index=range(5, 17))
    columns = ColumnTransformer(
        [
            ("title", WordVectorTransformer(glove), "title"),
            # A frame of one column is what a list of names gives.
            ("body", BertEmbedTransformer(preset), ["body"]),
        ]
    ).set_output(transform="pandas")
    features = columns.fit_transform(frame)
    assert near(features.to_numpy()[:, 50:], expected)
    assert features.index.tolist() == frame.index.tolist()
    assert features.columns[[0, 50]].tolist() == [
        "title__wordvectortransformer0",
        "body__bertembedtransformer0",
    ]
    with pytest.raises(BertEmbedError, match=r"One text a row .* Choose a column"):
        BertEmbedTransformer(preset).fit(frame)


def test_what_pandas_holds(fitted, texts, expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    series = pandas.Series(texts, index=[f"row {i}" for i in range(12)])
    for form in (series, series.astype(object), series.to_frame("text"), series.astype("category")):
        assert near(fitted.transform(form), expected)
    named = clone(fitted).set_output(transform="pandas").fit(series).transform(series)
    assert named.index.tolist() == series.index.tolist()
    assert named.columns[7] == "bertembedtransformer7"
    series.iloc[4] = None
    with pytest.raises(BertEmbedError, match="Row 4 holds"):
        fitted.transform(series)


def test_a_column_without_pandas(preset, texts, expected):
    table = np.array([[one, row] for row, one in enumerate(texts)], object)
    columns = ColumnTransformer([("bert", BertEmbedTransformer(preset), 0)])
    assert near(columns.fit_transform(table), expected)


def test_feature_names_and_set_output(fitted, texts):
    assert fitted.get_feature_names_out().tolist() == [f"bertembedtransformer{i}" for i in range(8)]
    assert isinstance(fitted.set_output(transform="default").transform(texts), np.ndarray)


def test_empty_input(fitted, preset):
    vectors = fitted.transform([])
    assert (vectors.shape, vectors.dtype) == ((0, 8), "float32")
    assert BertEmbedTransformer(preset).fit([]).transform([""]).shape == (1, 8)


def test_before_fit(preset):
    with pytest.raises(ValueError, match="not fitted yet"):
        BertEmbedTransformer(preset).transform(["a"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["a", None, "b"], r"Row 1 holds None \(NoneType\); a string was expected"),
        (["a", "b", float("nan")], r"Row 2 holds nan \(float\)"),
        ([b"a"], r"Row 0 holds b'a' \(bytes\)"),
        ([1, 2], r"Row 0 holds 1 \(int\)"),
        ("a text", r"not one text\. Pass \[text\]\. Received: 'a text'"),
        (np.str_("a text"), r"not one text\. Pass \[text\]"),
        (
            scipy.sparse.csr_matrix([[1.0]]),
            r"not a sparse matrix of numbers\. Received: csr_matrix",
        ),
        ([["a", "b"], ["c", "d"]], r"One text a row .* Received: shape \(2, 2\)"),
    ],
)
def test_input_that_is_no_text(wrong, message, fitted):
    for method in (fitted.transform, clone(fitted).fit):
        with pytest.raises(BertEmbedError, match=message):
            method(wrong)
