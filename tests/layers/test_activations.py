import math

import numpy as np
import pytest

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
