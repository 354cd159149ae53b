"""The mean of a text's pieces in which common pieces count for little."""

import keras
import numpy as np
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers.masked_pooling import MaskedPooling


@keras.saving.register_keras_serializable("tf_bertembed")
class SifPooling(keras.layers.Layer):
    """Pools a sequence by smooth inverse frequency.

    Each piece counts a / (a + p), where p is the share of it in a corpus, so
    that "the" counts for little and a piece never seen counts 1. The first
    and the last piece of a sequence, `[CLS]` and `[SEP]`, count nothing, and
    the sum is divided by the number of the others. A text without pieces of
    its own pools to zeros.

    The weights are one of the layer's variables: `set_frequencies` fills
    them, and they are saved with the model. Until then they are zeros.

    Args:
        vocabulary_size: int. The pieces in the vocabulary.
        a: float. The smaller, the less common pieces count; 1e-3 to 1e-4 is
            usual.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where a number is not above 0.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    pooling = layers.SifPooling(vocabulary_size=6, a=0.5)
    pooling.set_frequencies([0, 0, 0, 0, 3, 1])
    x = np.ones((1, 4, 2), "float32")
    pooled = pooling(x, np.ones((1, 4), bool), np.array([[2, 4, 5, 3]]))
    assert np.allclose(pooled, (0.5 / (0.5 + 0.75) + 0.5 / (0.5 + 0.25)) / 2)
    ```

    References:
        Arora et al., 2017, https://openreview.net/forum?id=SyK00v5xx
    """

    def __init__(self, vocabulary_size, a=1e-3, **kwargs):
        super().__init__(**kwargs)
        if vocabulary_size < 1 or not a > 0:
            raise BertEmbedError(
                "SIF pooling needs a vocabulary, and an `a` above 0. Received: "
                f"vocabulary_size={vocabulary_size}, a={a}."
            )
        self.vocabulary_size = vocabulary_size
        self.a = float(a)
        self._mean = MaskedPooling("mean", dtype="float32")
        self.piece_weights = self.add_weight(
            name="piece_weights",
            shape=(vocabulary_size,),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            autocast=False,
        )
        self.built = True

    def set_frequencies(self, counts):
        """Take the weights of pieces from how often each was counted.

        Args:
            counts: array `[vocabulary_size]`, int or float, as
                `text.count_pieces` gives it.

        Raises:
            BertEmbedError: where the shape differs, a count is negative or
                not finite, or all are 0.

        Example:

        ```python
        from tf_bertembed import layers

        pooling = layers.SifPooling(3, a=1)
        pooling.set_frequencies([0, 1, 1])
        assert pooling.piece_weights.numpy().round(2)[0] == 1 and pooling.has_frequencies
        ```
        """
        counts = np.asarray(counts, "float64")
        if counts.shape != (self.vocabulary_size,):
            raise BertEmbedError(
                "The frequencies must be one number a piece of the vocabulary: shape "
                f"({self.vocabulary_size},). Received: shape {counts.shape}."
            )
        if not np.isfinite(counts).all() or counts.min() < 0 or not counts.any():
            raise BertEmbedError(
                "The frequencies must be finite, 0 or more, and not all 0. Received: from "
                f"{counts.min()} to {counts.max()}."
            )
        self.piece_weights.assign(self.a / (self.a + counts / counts.sum()))

    @property
    def has_frequencies(self):
        """bool. Whether `set_frequencies` was called, here or before the weights were saved."""
        return bool(ops.any(self.piece_weights > 0))

    def call(self, x, padding_mask, token_ids):
        weights = ops.take(self.piece_weights, token_ids, axis=0)
        # The last piece of a sequence is the one after which there is none.
        following = ops.pad(padding_mask[:, 1:], [[0, 0], [0, 1]])
        own = ops.logical_and(padding_mask, following)
        first = ops.arange(ops.shape(padding_mask)[1])[None, :] == 0
        own = ops.logical_and(own, ops.logical_not(first))
        weighted = ops.cast(x, "float32") * ops.expand_dims(weights, -1)
        return ops.cast(self._mean(weighted, own), self.compute_dtype)

    def compute_output_shape(self, x_shape, padding_mask_shape=None, token_ids_shape=None):
        return (x_shape[0], x_shape[-1])

    def get_config(self):
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size, "a": self.a}
