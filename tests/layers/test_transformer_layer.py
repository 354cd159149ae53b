import keras
import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
MASK = np.array([[True] * 6, [True] * 4 + [False] * 2])


def make(**arguments):
    keras.utils.set_random_seed(0)
    return layers.TransformerLayer(num_heads=2, intermediate_dim=16, **arguments)


def norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)


def feedforward(layer, x):
    inner = np.maximum(layer.intermediate_dense(x), 0)
    return np.asarray(layer.output_dense(inner))


@pytest.mark.parametrize("norm_first", [False, True])
def test_normalised_after_or_before_each_part(norm_first):
    layer = make(norm_first=norm_first, activation="relu")
    output = np.asarray(layer(X, MASK))
    if norm_first:
        x = X + np.asarray(layer.attention(norm(X), MASK))
        expected = x + feedforward(layer, norm(x))
    else:
        x = norm(X + np.asarray(layer.attention(X, MASK)))
        expected = norm(x + feedforward(layer, x))
    np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_padding_changes_nothing(norm_first):
    layer = make(norm_first=norm_first)
    together = np.asarray(layer(X, MASK))[1, :4]
    alone = np.asarray(layer(X[1:, :4], MASK[1:, :4]))[0]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_attention_weights():
    weights = np.asarray(layers.SelfAttention(2)(X, MASK, return_attentions=True)[1])
    assert weights.shape == (2, 2, 6, 6)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert not weights[1, :, :, 4:].any()


def test_padding_alone_gives_finite_numbers():
    for dtype in ("float32", "mixed_float16", "mixed_bfloat16"):
        layer = make(dtype=dtype)
        assert np.isfinite(np.asarray(layer(X, np.zeros((2, 6), bool)), "float32")).all()


def test_the_shape_that_is_told_is_the_shape_that_comes():
    for dtype in ("float32", "mixed_float16"):
        layer = make(dtype=dtype)
        told = layer(
            keras.Input((None, 8)), keras.Input((None,), dtype="bool"), return_attentions=True
        )
        came = layer(X, MASK, return_attentions=True)
        for symbolic, tensor in zip(told, came, strict=True):
            assert symbolic.dtype == tensor.dtype.name
            assert symbolic.shape[1] in (None, tensor.shape[1])
            assert symbolic.shape[-1] in (None, tensor.shape[-1])


def test_dropout_in_training_only():
    layer = make(dropout=0.5)
    np.testing.assert_array_equal(layer(X, MASK), layer(X, MASK, training=False))
    assert np.abs(layer(X, MASK, training=True) - layer(X, MASK)).max() > 1e-4


def test_width_and_heads():
    with pytest.raises(BertEmbedError, match=r"hidden_dim=8, num_heads=3"):
        layers.SelfAttention(3)(X, MASK)


@pytest.mark.parametrize(
    "layer",
    [
        layers.InputFusion("gate", name="a"),
        layers.OutputFusion("concat", layer_norm_epsilon=1e-3),
        layers.MaskedPooling("max"),
        layers.PositionEmbedding(7, 4, kind="sinusoidal"),
        layers.SelfAttention(2, dropout=0.3),
        layers.StaticEmbedding(3, 2, dtype="mixed_float16"),
        layers.TransformerLayer(2, 16, dropout=0.3, activation="relu", norm_first=True),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configurations_round_trip(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
