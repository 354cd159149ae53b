"""Word vectors that join the token embedding before the encoder."""

import keras
import numpy as np
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers.initializers import bert_initializer


def check_mode(argument, mode, modes):
    """Raise where a way of fusion is not among those that exist."""
    if mode not in modes:
        raise BertEmbedError(f"`{argument}` must be one of {list(modes)}. Received: {mode!r}.")


def gate(width, inputs, policy):
    """A built layer that answers how much of each component passes, 0 to 1."""
    layer = keras.layers.Dense(
        width,
        activation="sigmoid",
        kernel_initializer=bert_initializer(),
        dtype=policy,
        name="gate",
    )
    layer.build((None, inputs))
    return layer


@keras.saving.register_keras_serializable("tf_bertembed")
class InputFusion(keras.layers.Layer):
    """Joins each piece's token embedding with the vector of its word.

    Every mode starts as the token embedding alone, so fusion added to an
    imported checkpoint changes nothing until it is trained:

    - `"add"`: `token + W word`, `W` zeros at first;
    - `"concat"`: `W [token; word]`, the identity on the token at first;
    - `"gate"`: `token + sigmoid(V [token; word]) * W word`, `W` zeros at first.

    Args:
        mode: string. `"add"`, `"concat"` or `"gate"`.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where `mode` is none of these.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    tokens = np.ones((2, 3, 4), "float32")
    words = np.ones((2, 3, 2), "float32")
    for mode in ("add", "concat", "gate"):
        assert np.allclose(layers.InputFusion(mode)(tokens, words), tokens)
    ```

    References:
        Gating: Dauphin et al., 2017, https://arxiv.org/abs/1612.08083
    """

    MODES = ("add", "concat", "gate")

    def __init__(self, mode, **kwargs):
        super().__init__(**kwargs)
        check_mode("input_fusion", mode, self.MODES)
        self.mode = mode

    def build(self, tokens_shape, words_shape):
        width, static_dim = tokens_shape[-1], words_shape[-1]
        self.word_kernel = self.add_weight(
            name="word_kernel", shape=(static_dim, width), initializer="zeros"
        )
        if self.mode == "concat":
            self.token_kernel = self.add_weight(
                name="token_kernel",
                shape=(width, width),
                initializer=lambda shape, dtype: ops.convert_to_tensor(np.eye(*shape), dtype),
            )
        if self.mode == "gate":
            self.gate_dense = gate(width, width + static_dim, self.dtype_policy)
        self.built = True

    def call(self, tokens, words):
        joined = ops.matmul(words, self.word_kernel)
        if self.mode == "concat":
            return ops.matmul(tokens, self.token_kernel) + joined
        if self.mode == "gate":
            joined = self.gate_dense(ops.concatenate([tokens, words], axis=-1)) * joined
        return tokens + joined

    def compute_output_shape(self, tokens_shape, words_shape):
        return tokens_shape

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
