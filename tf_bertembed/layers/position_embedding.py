"""Vectors for the places in a sequence, learned or sinusoidal."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers.initializers import bert_initializer


def _sinusoids(length, width):
    frequencies = 10000.0 ** (-np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * frequencies
    table = np.zeros((length, width), "float32")
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : width // 2])
    return table


@keras.saving.register_keras_serializable("tf_bertembed")
class PositionEmbedding(keras.layers.Layer):
    """One vector for each place in a sequence.

    Args:
        sequence_length: int. The number of places in the table.
        hidden_dim: int. The width H of a vector.
        kind: string. `"learned"` (BERT) or `"sinusoidal"` (fixed).
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where `kind` is neither, or when called on a longer
            sequence whose length is known; a length known only when the
            graph runs raises `tf.errors.InvalidArgumentError`.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    places = layers.PositionEmbedding(16, hidden_dim=4, kind="sinusoidal")
    vectors = places(np.zeros((2, 3), "int32"))
    assert vectors.shape == (3, 4)
    assert np.allclose(vectors[0], [0, 1, 0, 1])
    ```

    References:
        Sinusoids: Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(self, sequence_length, hidden_dim, kind="learned", **kwargs):
        super().__init__(**kwargs)
        if kind not in ("learned", "sinusoidal"):
            raise BertEmbedError(
                f"`position_embedding` must be 'learned' or 'sinusoidal'. Received: {kind!r}."
            )
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.kind = kind

    def build(self, input_shape):
        if self.kind == "learned":
            self.position_embeddings = self.add_weight(
                name="embeddings",
                shape=(self.sequence_length, self.hidden_dim),
                initializer=bert_initializer(),
            )
        else:
            self._table = _sinusoids(self.sequence_length, self.hidden_dim)
        self.built = True

    def call(self, token_ids):
        known = token_ids.shape[1]
        message = (
            f"The sequence is longer than the position table of {self.sequence_length} rows. "
            "Shorten it with the preprocessor's `sequence_length`, or build the backbone with a "
            "larger `max_sequence_length`."
        )
        if known is not None and known > self.sequence_length:
            raise BertEmbedError(f"{message} Received: {known} pieces.")
        length = ops.shape(token_ids)[1]
        if known is None:
            check = tf.debugging.assert_less_equal(length, self.sequence_length, message=message)
            with tf.control_dependencies([check]):
                length = tf.identity(length)
        table = (
            self.position_embeddings
            if self.kind == "learned"
            else ops.cast(self._table, self.compute_dtype)
        )
        return table[:length]

    def compute_output_shape(self, input_shape):
        return (input_shape[1], self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
            "kind": self.kind,
        }
