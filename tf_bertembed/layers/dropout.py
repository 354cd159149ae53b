"""Dropout that draws half the random bits."""

import keras
import tensorflow as tf

from tf_bertembed.common import BertEmbedError

LEVELS = 1 << 16


@keras.saving.register_keras_serializable("tf_bertembed")
class Dropout(keras.layers.Dropout):
    """Drops a share of the components in training, as `keras.layers.Dropout`.

    Whether a component stays is drawn from 16 random bits instead of 32, since
    on a CPU random numbers are a good part of what dropout costs. The share
    is so held to the nearest 1/65536, and what stays is scaled by that share.

    Args:
        rate: float. The share that is dropped, from 0 to 1.
        noise_shape: `None`. Every component is drawn; kept for Keras's order
            of arguments.
        seed: int. As for `keras.layers.Dropout`.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where `noise_shape` is given.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    ones = np.ones((1000, 100), "float32")
    dropped = np.asarray(layers.Dropout(0.25, seed=1)(ones, training=True))
    assert abs((dropped == 0).mean() - 0.25) < 0.01
    assert abs(dropped.mean() - 1) < 0.02
    ```

    References:
        Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        if noise_shape is not None:
            raise BertEmbedError(
                f"Every component is drawn: `noise_shape` must be None. Received: {noise_shape}."
            )
        super().__init__(rate, seed=seed, **kwargs)

    def call(self, inputs, training=False):
        dropped = round(self.rate * LEVELS)
        if not training or not dropped:
            return inputs
        if dropped == LEVELS:
            return tf.zeros_like(inputs)
        shape = tf.shape(inputs, out_type=tf.int64)
        size = tf.reduce_prod(shape)
        words = tf.random.stateless_uniform(
            [(size + 1) // 2],
            self.seed_generator.next(),
            minval=None,
            maxval=None,
            dtype=tf.uint32,
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
        stays = tf.reshape(bits >= tf.constant(dropped, tf.uint16), shape)
        scaled = inputs * tf.cast(LEVELS / (LEVELS - dropped), inputs.dtype)
        return tf.where(stays, scaled, tf.zeros([], inputs.dtype))
