"""What the transformers of text share: their input, names and pickling."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tf_bertembed.text.checks import check_texts


class TextTransformer(TransformerMixin, BaseEstimator):
    """Base of the transformers: what was loaded stays out of pickles.

    A subclass gives `_features(texts)`, an array of a row a text, and
    `_width()`, the number of its columns; it keeps what it loads on first use
    in `self._loaded`.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.requires_fit = True
        return tags

    def __getstate__(self):
        # The path and the settings travel, the weights do not.
        return {name: value for name, value in super().__getstate__().items() if name != "_loaded"}

    def fit(self, X, y=None):
        """Load the model and learn the number of features.

        Args:
            X: list, array or series of strings, `[N]`. Only checked.
            y: ignored.

        Returns:
            The transformer itself.
        """
        check_texts(X)
        self.n_features_out_ = int(self._width())
        return self

    def transform(self, X):
        """Compute the features of texts.

        Args:
            X: list, array or series of strings, `[N]`.

        Returns:
            An array `[N, n_features_out_]`, float32, rows in the order of `X`.
        """
        check_is_fitted(self, "n_features_out_")
        texts = check_texts(X)
        if not texts:
            return np.zeros((0, self.n_features_out_), "float32")
        return self._features(texts)

    def get_feature_names_out(self, input_features=None):
        """Name the features.

        Args:
            input_features: ignored; texts have no names.

        Returns:
            An array of strings, `[n_features_out_]`.
        """
        check_is_fitted(self, "n_features_out_")
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(self.n_features_out_)], dtype=object)
