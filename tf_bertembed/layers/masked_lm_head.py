"""Predicts masked pieces with the token table, or with a table of its own."""

import keras
import tensorflow as tf
from keras import ops

from tf_bertembed.layers.activations import get_activation
from tf_bertembed.layers.initializers import bert_initializer


@keras.saving.register_keras_serializable("tf_bertembed")
class MaskedLMHead(keras.layers.Layer):
    """Scores every piece of the vocabulary at the masked places.

    Gathers the places, transforms them (dense, activation, normalisation) to
    the width of the token table, and multiplies with that table, which stays
    tied to the embedding, or with one of its own of the same shape. Logits
    are float32 under any precision.

    Args:
        token_embedding: `keras.layers.Embedding`. The token table, `[V, E]`.
        activation: string. See `get_activation`.
        layer_norm_epsilon: float. Added to the variance in normalisation.
        tie_weights: bool. Whether the scores come from the token table.
            Without, they come from `output_embeddings`, `[V, E]`.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Example:

    ```python
    import keras
    import numpy as np
    from tf_bertembed import layers

    table = keras.layers.Embedding(50, 8)
    table.build()
    head = layers.MaskedLMHead(table)
    places = np.array([[1, 3], [0, 0]], "int32")
    assert head(np.ones((2, 5, 8), "float32"), places).shape == (2, 2, 50)
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805; tying: Press
        and Wolf, 2017, https://arxiv.org/abs/1608.05859
    """

    def __init__(
        self,
        token_embedding,
        activation="gelu",
        layer_norm_epsilon=1e-12,
        tie_weights=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.token_embedding = token_embedding
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.tie_weights = tie_weights
        self._own_table = None

    def build(self, sequence_shape, mask_positions_shape=None):
        self.width = sequence_shape[-1]
        table_width = self.token_embedding.output_dim
        self.transform_dense = keras.layers.Dense(
            table_width,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name="transform",
        )
        self.transform_dense.build((None, self.width))
        self.transform_norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name="transform_norm"
        )
        self.transform_norm.build((None, table_width))
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=(self.token_embedding.input_dim,),
            initializer="zeros",
            autocast=False,
        )
        if not self.tie_weights:
            self._own_table = self.add_weight(
                name="output_embeddings",
                shape=(self.token_embedding.input_dim, table_width),
                initializer=bert_initializer(),
            )
        self._activation = get_activation(self.activation)
        self.built = True

    @property
    def output_embeddings(self):
        """The variable `[V, E]` that scores the pieces: the token table itself where tied."""
        return self.token_embedding.embeddings if self.tie_weights else self._own_table

    def call(self, sequence, mask_positions):
        shape = ops.shape(sequence)
        first = ops.expand_dims(ops.arange(shape[0]) * shape[1], 1)
        flat = ops.reshape(sequence, (-1, self.width))
        places = ops.reshape(mask_positions + first, (-1,))
        x = self.transform_norm(
            self._activation(self.transform_dense(ops.take(flat, places, axis=0)))
        )
        # The flag spares a transposed copy of the whole table each step.
        table = ops.cast(self.output_embeddings, self.compute_dtype)
        logits = ops.cast(tf.matmul(x, table, transpose_b=True), "float32") + self.output_bias
        return ops.reshape(
            logits, (shape[0], ops.shape(mask_positions)[1], self.token_embedding.input_dim)
        )

    def compute_output_shape(self, sequence_shape, mask_positions_shape):
        return (*mask_positions_shape, self.token_embedding.input_dim)

    def compute_output_spec(self, sequence, mask_positions):
        shape = self.compute_output_shape(sequence.shape, mask_positions.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "token_embedding": keras.layers.serialize(self.token_embedding),
            "activation": self.activation,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "tie_weights": self.tie_weights,
        }

    @classmethod
    def from_config(cls, config):
        embedding = keras.layers.deserialize(config.pop("token_embedding"))
        return cls(embedding, **config)
