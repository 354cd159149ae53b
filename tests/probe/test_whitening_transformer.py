import pickle

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from tf_bertembed.common import BertEmbedError
from tf_bertembed.probe import WhiteningTransformer, WordVectorTransformer


@pytest.fixture(scope="module")
def features():
    random = np.random.default_rng(0)
    return random.normal(size=(300, 6)) @ random.normal(size=(6, 6)) + 100 * np.arange(6)


@pytest.mark.parametrize("dimensions", [None, 1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_as_pca_whitens(dimensions, dtype, features):
    # However far off the mean is.
    features = features.astype(dtype)
    white = WhiteningTransformer(dimensions).fit_transform(features)
    expected = PCA(dimensions, whiten=True, svd_solver="full").fit_transform(
        features.astype("float64")
    )
    # scikit-learn divides by N - 1, and each is free to choose a direction's sign.
    expected *= np.sqrt(300 / 299)
    signs = np.sign((white * expected).sum(axis=0))
    assert white.dtype == dtype
    np.testing.assert_allclose(white * signs, expected, atol=1e-3 if dtype == "float32" else 1e-5)
    np.testing.assert_allclose(white.T @ white / 300, np.eye(white.shape[1]), atol=1e-3)


def test_names(features):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(features, columns=list("abcdef"))
    transformer = WhiteningTransformer(2).set_output(transform="pandas").fit(frame)
    assert transformer.feature_names_in_.tolist() == list("abcdef")
    names = ["whiteningtransformer0", "whiteningtransformer1"]
    assert transformer.transform(frame).columns.tolist() == names
    assert transformer.get_feature_names_out().tolist() == names


def test_after_word_vectors(glove, texts):
    pipeline = make_pipeline(WordVectorTransformer(glove), WhiteningTransformer(3))
    white = pipeline.fit_transform(texts)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(3), atol=1e-4)
    again = pickle.loads(pickle.dumps(pipeline))  # noqa: S301
    np.testing.assert_array_equal(again.transform(texts), white)


@pytest.mark.parametrize(
    ("dimensions", "rows", "message"),
    [
        (0, 300, r"`dimensions` must be an int from 1 to the width 6\. Received: 0"),
        (7, 300, r"from 1 to the width 6\. Received: 7"),
        (2.0, 300, r"Received: 2\.0"),
        (None, 5, "vary in 4 directions only, too few to whiten 6"),
    ],
)
def test_what_cannot_be(dimensions, rows, message, features):
    with pytest.raises(BertEmbedError, match=message):
        WhiteningTransformer(dimensions).fit(features[:rows])


def test_input_that_is_no_table_of_numbers(features):
    fitted = WhiteningTransformer().fit(features)
    for wrong, message in (
        (features[:, :5], "expecting 6 features"),
        (features[0], "Expected 2D array"),
        ([["a"] * 6], "could not convert string to float"),
        (np.full((2, 6), np.nan), "contains NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            fitted.transform(wrong)
