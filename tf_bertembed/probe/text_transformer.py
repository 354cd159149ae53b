"""What the transformers of text share: their input, names and pickling."""

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.checks import check_texts


def _texts(X):
    if scipy.sparse.issparse(X):
        raise BertEmbedError(
            "A sequence of texts was expected, not a sparse matrix of numbers. Received: "
            f"{type(X).__name__} of shape {X.shape}."
        )
    return check_texts(X)


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
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __getstate__(self):
        # The path and the settings travel, the weights do not.
        return {name: value for name, value in super().__getstate__().items() if name != "_loaded"}

    def fit(self, X, y=None):
        """Load the model and learn the number of features.

        Args:
            X: list, array or series of strings, `[N]`. Checked, and learned
                from where the transformer says so.
            y: ignored.

        Returns:
            The transformer itself.
        """
        self._learn(_texts(X))
        self.n_features_out_ = int(self._width())
        return self

    def _learn(self, texts):
        """Take from the texts what the features need; by default nothing."""

    def transform(self, X):
        """Compute the features of texts.

        Args:
            X: list, array or series of strings, `[N]`.

        Returns:
            An array `[N, n_features_out_]`, float32, rows in the order of `X`.
        """
        check_is_fitted(self, "n_features_out_")
        texts = _texts(X)
        if not texts:
            return np.zeros((0, self.n_features_out_), "float32")
        features = self._features(texts)
        if features.shape[1] != self.n_features_out_:
            raise BertEmbedError(
                f"{type(self).__name__} was fitted with {self.n_features_out_} features, and now "
                f"gives {features.shape[1]}: its files or settings changed. Fit it again."
            )
        return features

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
