"""Multi-head self-attention with one matrix product for queries, keys and values."""

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers.dropout import Dropout
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.layers.lora_dense import LoraDense

# Far below any score, and finite, so that a row of padding alone gives the
# mean of its values and not NaN.
MASKED_SCORE = -1e9


@keras.saving.register_keras_serializable("tf_bertembed")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention over the pieces of each sequence.

    Queries, keys and values come from one product, `[B * T, H] x [H, 3H]`,
    which keeps a CPU's matrix kernels busy. Scores and softmax are float32
    under any precision; padding gets no attention.

    Args:
        num_heads: int. The number of heads; divides the width of the input.
        dropout: float. The share of attention weights dropped in training.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: in `build`, where the width is no multiple of
            `num_heads`.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")
    mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
    output, weights = layers.SelfAttention(2)(x, mask, return_attentions=True)
    assert output.shape == (2, 5, 8) and weights.shape == (2, 2, 5, 5)
    assert float(weights[1, :, :, 3:].numpy().max()) == 0.0
    ```

    References:
        Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(self, num_heads, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.dropout = dropout

    def build(self, input_shape):
        hidden_dim = input_shape[-1]
        if hidden_dim % self.num_heads:
            raise BertEmbedError(
                "The hidden width must be a multiple of `num_heads`. Received: "
                f"hidden_dim={hidden_dim}, num_heads={self.num_heads}."
            )
        self.hidden_dim = hidden_dim
        self.head_dim = hidden_dim // self.num_heads
        self.qkv_dense = LoraDense(
            3 * hidden_dim,
            blocks=3,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name="qkv",
        )
        self.qkv_dense.build((None, hidden_dim))
        self.output_dense = LoraDense(
            hidden_dim,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name="attention_output",
        )
        self.output_dense.build((None, hidden_dim))
        self.attention_dropout = Dropout(self.dropout, dtype="float32")
        self.built = True

    def call(self, x, padding_mask, return_attentions=False, training=None):
        shape = ops.shape(x)
        batch, length = shape[0], shape[1]
        qkv = self.qkv_dense(ops.reshape(x, (-1, self.hidden_dim)))
        qkv = ops.reshape(qkv, (batch, length, 3, self.num_heads, self.head_dim))
        query, key, value = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)
        # Scaled before the product, so that float16 scores do not overflow.
        query = ops.multiply(query, ops.cast(self.head_dim**-0.5, query.dtype))
        scores = ops.cast(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))), "float32")
        bias = ops.where(padding_mask, 0.0, MASKED_SCORE)
        weights = ops.softmax(scores + bias[:, None, None, :], axis=-1)
        dropped = self.attention_dropout(weights, training=training)
        context = ops.matmul(ops.cast(dropped, value.dtype), value)
        context = ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (-1, self.hidden_dim))
        output = ops.reshape(self.output_dense(context), (batch, length, self.hidden_dim))
        return (output, weights) if return_attentions else output

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "dropout": self.dropout}
