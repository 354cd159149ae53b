"""Word vectors that join the encoder's output."""

import keras
from keras import ops

from tf_bertembed.layers.input_fusion import check_mode, gate


@keras.saving.register_keras_serializable("tf_bertembed")
class OutputFusion(keras.layers.Layer):
    """Joins encoder outputs with word vectors, each normalised first.

    - `"concat"`: `[norm(encoded); norm(word)]`, width H + S;
    - `"add"`: `norm(encoded) + W norm(word)`, width H, `W` zeros at first;
    - `"gate"`: `norm(encoded) + sigmoid(V [both]) * W norm(word)`, width H,
      `W` zeros at first.

    A place without a word vector keeps zeros in the word's block. Works on
    pieces `[B, T, ...]` and on pooled vectors `[B, ...]`.

    A normalisation undoes the scales that a trained encoder ends with, also
    where the encoder is normalised last (BERT). With `normalize_encoded=False`
    the encoder's vector passes as it is: then `"add"` and `"gate"` start as
    the encoder alone, and `"concat"` holds it unchanged.

    Args:
        mode: string. `"concat"`, `"add"` or `"gate"`.
        layer_norm_epsilon: float. Added to the variance in normalisation.
        normalize_encoded: bool. Whether the encoder's vector is normalised
            too; the word's always is.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where `mode` is none of these.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    encoded = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    words = np.array([[[1, 2], [0, 0], [3, 5]]] * 2, "float32")
    known = np.array([[True, False, True]] * 2)
    fused = layers.OutputFusion("concat")(encoded, words, known)
    assert fused.shape == (2, 3, 6) and not fused.numpy()[:, 1, 4:].any()
    ```
    """

    MODES = ("concat", "add", "gate")

    def __init__(self, mode, layer_norm_epsilon=1e-5, normalize_encoded=True, **kwargs):
        super().__init__(**kwargs)
        check_mode("output_fusion", mode, self.MODES)
        self.mode = mode
        self.layer_norm_epsilon = layer_norm_epsilon
        self.normalize_encoded = normalize_encoded

    def build(self, encoded_shape, words_shape, known_shape=None):
        width, static_dim = encoded_shape[-1], words_shape[-1]

        def norm(size, name):
            layer = keras.layers.LayerNormalization(
                epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
            )
            layer.build((None, size))
            return layer

        self.encoded_norm = norm(width, "encoded_norm") if self.normalize_encoded else None
        self.word_norm = norm(static_dim, "word_norm")
        if self.mode == "gate":
            self.gate_dense = gate(width, width + static_dim, self.dtype_policy)
        if self.mode != "concat":
            self.word_dense = keras.layers.Dense(
                width,
                use_bias=False,
                kernel_initializer="zeros",
                dtype=self.dtype_policy,
                name="word",
            )
            self.word_dense.build((None, static_dim))
        self.built = True

    def call(self, encoded, words, known):
        if self.encoded_norm is not None:
            encoded = self.encoded_norm(encoded)
        words = self.word_norm(words)
        words = words * ops.cast(ops.expand_dims(known, -1), words.dtype)
        if self.mode == "add":
            return encoded + self.word_dense(words)
        both = ops.concatenate([encoded, words], axis=-1)
        if self.mode == "concat":
            return both
        return encoded + self.gate_dense(both) * self.word_dense(words)

    def compute_output_shape(self, encoded_shape, words_shape, known_shape=None):
        width = encoded_shape[-1] + (words_shape[-1] if self.mode == "concat" else 0)
        return (*encoded_shape[:-1], width)

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "normalize_encoded": self.normalize_encoded,
        }
