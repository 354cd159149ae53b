import math

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

POINTS = np.linspace(-4, 4, 33).astype("float32")


def test_exact_gelu_is_by_the_error_function():
    expected = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in POINTS.tolist()]
    np.testing.assert_allclose(layers.get_activation("gelu")(POINTS), expected, atol=2e-6)


def test_tanh_gelu_is_the_approximation():
    inner = np.sqrt(2 / np.pi) * (POINTS + 0.044715 * POINTS**3)
    approximate = np.asarray(layers.get_activation("gelu_tanh")(POINTS))
    np.testing.assert_allclose(approximate, POINTS * 0.5 * (1 + np.tanh(inner)), atol=2e-6)
    assert np.abs(approximate - np.asarray(layers.get_activation("gelu")(POINTS))).max() > 1e-4


def test_relu():
    np.testing.assert_array_equal(layers.get_activation("relu")(POINTS), np.maximum(POINTS, 0))


def test_unknown_activation():
    with pytest.raises(BertEmbedError, match=r"`activation` must be one of .*Received: 'swish'"):
        layers.get_activation("swish")


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_form_for_training_has_the_same_numbers_and_gradients(name, dtype):
    x = tf.cast(tf.constant(POINTS), dtype)
    results = []
    for training in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layers.get_activation(name, training=training)(x)
        results.append((tf.cast(y, "float32"), tf.cast(tape.gradient(y, x), "float32")))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
