import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

ONES = np.ones((301, 333), "float32")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_dropped_and_the_mean_kept(rate):
    dropped = np.asarray(layers.Dropout(rate, seed=3)(ONES, training=True))
    assert abs((dropped == 0).mean() - rate) < 5 * (rate * (1 - rate) / ONES.size) ** 0.5
    kept = dropped[dropped > 0]
    assert kept.min() == kept.max() == pytest.approx(1 / (1 - rate), rel=2e-4)


def test_components_are_drawn_one_by_one():
    zeros = np.asarray(layers.Dropout(0.5, seed=3)(ONES, training=True)) == 0
    for other in (zeros[:, 1:], zeros[1:]):
        one = zeros[: other.shape[0], : other.shape[1]]
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02


def test_each_call_draws_anew_and_a_seed_repeats():
    layer = layers.Dropout(0.3, seed=5)
    first, second = (np.asarray(layer(ONES, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(layers.Dropout(0.3, seed=5)(ONES, training=True), first)


def test_edges():
    for rate in (0.0, 0.3):
        np.testing.assert_array_equal(layers.Dropout(rate)(ONES, training=False), ONES)
    np.testing.assert_array_equal(layers.Dropout(0.0)(ONES, training=True), ONES)
    np.testing.assert_array_equal(layers.Dropout(1.0)(ONES, training=True), 0 * ONES)
    assert layers.Dropout(0.3)(np.ones((0, 3), "float32"), training=True).shape == (0, 3)
    with pytest.raises(BertEmbedError, match="Every component is drawn"):
        layers.Dropout(0.1, noise_shape=(1, 3))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gradients_are_dropped_alike(dtype):
    x = tf.Variable(tf.cast(ONES, dtype))
    layer = layers.Dropout(0.3, dtype=dtype)
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
    assert y.dtype == dtype
    gradient = tape.gradient(y, x)
    np.testing.assert_array_equal(tf.cast(gradient, "float32"), tf.cast(y, "float32"))


def test_in_a_graph_of_any_shape_and_under_xla():
    layer = layers.Dropout(0.5, seed=1)

    @tf.function(input_signature=[tf.TensorSpec([None, None])], jit_compile=False)
    def graph(x):
        return layer(x, training=True)

    for shape in ((3, 7), (64, 65)):
        values = np.unique(graph(tf.ones(shape)))
        assert set(values) <= {0.0, 2.0}
    compiled = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    assert set(np.unique(compiled(tf.ones((5, 5))))) == {0.0, 2.0}


def test_its_configuration():
    layer = keras.layers.deserialize(keras.layers.serialize(layers.Dropout(0.2, seed=4)))
    assert (type(layer), layer.rate, layer.seed) == (layers.Dropout, 0.2, 4)
