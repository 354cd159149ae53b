"""Whitening as a scikit-learn transformer."""

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tf_bertembed.tasks.similarity.embedding_maps import whitening

FLOATS = ("float64", "float32")


class WhiteningTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Makes features independent of one another, of mean 0 and variance 1.

    A linear map learned from features alone, for example from those of
    `BertEmbedTransformer`, whose cosines then tell more. The directions of
    most variance come first, so that a few may do for all.

    Args:
        dimensions: int. How many directions to keep; `None` for as many as
            there are features.

    Attributes:
        n_features_in_: int. The number D of features seen in `fit`.
        feature_names_in_: array of strings `[D]`, where they had names.
        mean_: float64 array `[D]`.
        whitening_: float32 array `[D, k]`, by which what is left after the
            mean is multiplied.

    Raises:
        BertEmbedError: in `fit`, where the features vary in fewer than
            `dimensions` directions.
        ValueError: where an input is no finite array of numbers, or has
            another number of features.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import probe

    features = np.random.default_rng(0).normal(size=(50, 4)) @ np.diag([1, 2, 3, 4]) + 5
    white = probe.WhiteningTransformer(dimensions=2).fit_transform(features)
    assert white.shape == (50, 2) and np.allclose(np.cov(white.T, bias=True), np.eye(2), atol=1e-5)
    ```

    References:
        Su et al., 2021, https://arxiv.org/abs/2103.15316
    """

    def __init__(self, dimensions=None):
        self.dimensions = dimensions

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = list(FLOATS)
        return tags

    def fit(self, X, y=None):
        """Learn the map.

        Args:
            X: array or frame of numbers, `[N, D]`, with N above the number of
                dimensions kept.
            y: ignored.

        Returns:
            The transformer itself.

        Raises:
            BertEmbedError: where the features vary in too few directions.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import probe

        features = np.random.default_rng(0).normal(size=(50, 4))
        assert probe.WhiteningTransformer().fit(features).whitening_.shape == (4, 4)
        ```
        """
        X = validate_data(self, X, dtype=FLOATS, ensure_min_samples=2)
        self.mean_ = X.mean(axis=0, dtype="float64")
        # What is left after the mean fits single precision, however far off the mean is.
        self.whitening_, _ = whitening(X - self.mean_, self.dimensions)
        return self

    def transform(self, X):
        """Map features.

        Args:
            X: array or frame of numbers, `[N, D]`.

        Returns:
            An array `[N, k]`, float32 or float64 as `X`.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import probe

        features = np.random.default_rng(0).normal(size=(50, 4))
        whitening = probe.WhiteningTransformer(2).fit(features[:40])
        assert whitening.transform(features[40:]).shape == (10, 2)
        ```
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        return ((X - self.mean_) @ self.whitening_).astype(X.dtype)

    @property
    def _n_features_out(self):
        return self.whitening_.shape[1]
