"""The activations that BERT checkpoints are trained with, by name."""

import functools
import math

import keras
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError


def _is_half(x):
    return keras.backend.standardize_dtype(x.dtype) != "float32"


# By erfc, which keeps the digits of the negative tail in half precision.
_half_gelu = functools.partial(keras.activations.gelu, approximate=False)


def _gelu(x):
    if _is_half(x):
        return _half_gelu(x)
    # Fewer passes than by erfc, and what TensorFlow fuses into the product before.
    return 0.5 * x * (1.0 + ops.erf(x * math.sqrt(0.5)))


@tf.custom_gradient
def _gelu_with_gradient(x):
    below = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))

    def gradient(upstream):
        # TensorFlow runs this chain of three as one pass.
        bell = tf.exp(-tf.square(x * math.sqrt(0.5)))
        return upstream * (below + x * bell * math.sqrt(0.5 / math.pi))

    return x * below, gradient


def _gelu_in_training(x):
    return _half_gelu(x) if _is_half(x) else _gelu_with_gradient(x)


_ACTIVATIONS = {
    "gelu": _gelu,
    "gelu_tanh": functools.partial(keras.activations.gelu, approximate=True),
    "relu": keras.activations.relu,
}

# The same numbers, with a gradient of half the passes. It stays out of exported
# graphs, which are to hold no gradients.
_IN_TRAINING = {**_ACTIVATIONS, "gelu": _gelu_in_training}


def get_activation(name, training=False):
    """Look up an activation of the feed-forward block by its name.

    Args:
        name: string. `"gelu"` (exact, by the error function), `"gelu_tanh"`
            (the tanh approximation, Hugging Face's `gelu_new`) or `"relu"`.
        training: bool. Whether the form with the cheaper gradient is wanted.

    Returns:
        A function from a tensor to a tensor of the same shape and dtype.

    Raises:
        BertEmbedError: where the name is none of these.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    exact = layers.get_activation("gelu")(np.array([1.0], "float32"))
    assert abs(float(exact[0]) - 0.8413447) < 1e-6
    ```

    References:
        Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415
    """
    if name not in _ACTIVATIONS:
        raise BertEmbedError(
            f"`activation` must be one of {sorted(_ACTIVATIONS)}. Received: {name!r}."
        )
    return (_IN_TRAINING if training else _ACTIVATIONS)[name]
