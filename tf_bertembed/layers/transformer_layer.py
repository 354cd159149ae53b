"""One block of the encoder: self-attention, then a feed-forward network."""

import keras
from keras import ops

from tf_bertembed.layers.activations import get_activation
from tf_bertembed.layers.dropout import Dropout
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.layers.lora_dense import LoraDense
from tf_bertembed.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable("tf_bertembed")
class TransformerLayer(keras.layers.Layer):
    """A transformer encoder block, normalised after (BERT) or before each part.

    Args:
        num_heads: int. The number of attention heads.
        intermediate_dim: int. The inner width of the feed-forward network.
        dropout: float. The share dropped from attention weights and from the
            output of each part in training.
        activation: string. See `get_activation`.
        norm_first: bool. False normalises after each residual sum (BERT);
            True normalises each part's input.
        layer_norm_epsilon: float. Added to the variance in normalisation.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    x = np.ones((2, 5, 8), "float32")
    block = layers.TransformerLayer(num_heads=2, intermediate_dim=16)
    assert block(x, np.ones((2, 5), bool)).shape == (2, 5, 8)
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805; normalisation
        before each part: Xiong et al., 2020, https://arxiv.org/abs/2002.04745
    """

    def __init__(
        self,
        num_heads,
        intermediate_dim,
        dropout=0.0,
        activation="gelu",
        norm_first=False,
        layer_norm_epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        get_activation(activation)  # raises where there is none such
        self.activation = activation
        self.norm_first = norm_first
        self.layer_norm_epsilon = layer_norm_epsilon

    def build(self, x_shape, padding_mask_shape=None):
        self.hidden_dim = x_shape[-1]
        policy = self.dtype_policy

        def norm(name):
            layer = keras.layers.LayerNormalization(
                epsilon=self.layer_norm_epsilon, dtype=policy, name=name
            )
            layer.build((None, None, self.hidden_dim))
            return layer

        def dense(units, width, name):
            layer = LoraDense(units, kernel_initializer=bert_initializer(), dtype=policy, name=name)
            layer.build((None, width))
            return layer

        self.attention = SelfAttention(
            self.num_heads, dropout=self.dropout, dtype=policy, name="attention"
        )
        self.attention.build(x_shape)
        self.attention_norm = norm("attention_norm")
        self.intermediate_dense = dense(self.intermediate_dim, self.hidden_dim, "intermediate")
        self.output_dense = dense(self.hidden_dim, self.intermediate_dim, "output")
        self.feedforward_norm = norm("feedforward_norm")
        self.attention_dropout = Dropout(self.dropout, dtype=policy)
        self.feedforward_dropout = Dropout(self.dropout, dtype=policy)
        self.built = True

    def _feedforward(self, x, training):
        activation = get_activation(self.activation, training=training is True)
        inner = activation(self.intermediate_dense(ops.reshape(x, (-1, self.hidden_dim))))
        output = self.feedforward_dropout(self.output_dense(inner), training=training)
        return ops.reshape(output, ops.shape(x))

    def call(self, x, padding_mask, return_attentions=False, training=None):
        attended, weights = self.attention(
            self.attention_norm(x) if self.norm_first else x,
            padding_mask,
            return_attentions=True,
            training=training,
        )
        x = x + self.attention_dropout(attended, training=training)
        if self.norm_first:
            x = x + self._feedforward(self.feedforward_norm(x), training)
        else:
            x = self.attention_norm(x)
            x = self.feedforward_norm(x + self._feedforward(x, training))
        return (x, weights) if return_attentions else x

    def compute_output_spec(self, x, padding_mask, return_attentions=False, training=None):
        # Told and not traced: a third of the time that a backbone takes to build.
        output = keras.KerasTensor(x.shape, dtype=self.compute_dtype)
        if not return_attentions:
            return output
        batch, length = x.shape[:2]
        shape = (batch, self.num_heads, length, length)
        return output, keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "activation": self.activation,
            "norm_first": self.norm_first,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }
