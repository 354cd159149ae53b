import keras
import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

EPSILON = 1e-5


def normalised(x):
    variance = x.var(axis=-1, keepdims=True)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + EPSILON)


@pytest.fixture
def encoded():
    return np.random.default_rng(0).normal(size=(2, 4, 8)).astype("float32") * 7


@pytest.fixture
def words():
    words = np.random.default_rng(1).normal(size=(2, 4, 6)).astype("float32") * 0.1
    words[0, 1] = 0
    return words


@pytest.fixture
def known(words):
    return words.any(axis=-1)


def test_concat_normalises_each_block(encoded, words, known):
    fused = np.asarray(layers.OutputFusion("concat")(encoded, words, known))
    np.testing.assert_allclose(fused[..., :8], normalised(encoded), atol=1e-5)
    np.testing.assert_allclose(fused[..., 8:][known], normalised(words)[known], atol=1e-4)


@pytest.mark.parametrize("mode", ["concat", "add", "gate"])
def test_a_place_without_a_word_keeps_zeros_after_training(mode, encoded, words, known):
    layer = layers.OutputFusion(mode)
    layer.build(encoded.shape, words.shape)
    # Training moves beta, which must not give a vector to what has none.
    layer.word_norm.beta.assign(np.ones(6))
    fused = np.asarray(layer(encoded, words, known))
    if mode == "concat":
        assert not fused[0, 1, 8:].any()
        assert fused[0, 0, 8:].all()
    else:
        layer.word_dense.kernel.assign(np.ones((6, 8)))
        fused = np.asarray(layer(encoded, words, known))
        np.testing.assert_allclose(fused[0, 1], normalised(encoded)[0, 1], atol=1e-5)
        assert np.abs(fused[0, 0] - normalised(encoded)[0, 0]).max() > 0.1


@pytest.mark.parametrize("mode", ["add", "gate"])
def test_starts_as_the_normalised_encoder(mode, encoded, words, known):
    fused = layers.OutputFusion(mode)(encoded, words, known)
    np.testing.assert_allclose(fused, normalised(encoded), atol=1e-5)


@pytest.mark.parametrize("mode", ["concat", "add", "gate"])
def test_an_encoder_that_is_not_normalised_passes_unchanged(mode, encoded, words, known):
    layer = layers.OutputFusion(mode, normalize_encoded=False)
    fused = np.asarray(layer(encoded, words, known))
    np.testing.assert_array_equal(fused[..., :8], encoded)
    assert fused.shape[-1] == (14 if mode == "concat" else 8)
    assert not any("encoded_norm" in variable.path for variable in layer.weights)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.mode, again.normalize_encoded) == (mode, False)


def test_add_formula(encoded, words, known):
    layer = layers.OutputFusion("add", normalize_encoded=False)
    layer.build(encoded.shape, words.shape)
    kernel = np.random.default_rng(2).normal(size=(6, 8))
    layer.word_dense.kernel.assign(kernel)
    expected = encoded + (normalised(words) * known[..., None]) @ kernel
    np.testing.assert_allclose(layer(encoded, words, known), expected, rtol=1e-3, atol=1e-4)


def test_gate_formula(encoded, words, known):
    layer = layers.OutputFusion("gate")
    layer.build(encoded.shape, words.shape)
    random = np.random.default_rng(2)
    for dense in (layer.gate_dense, layer.word_dense):
        dense.kernel.assign(random.normal(size=dense.kernel.shape))
    word_block = normalised(words) * known[..., None]
    both = np.concatenate([normalised(encoded), word_block], axis=-1)
    gate = 1 / (1 + np.exp(-(both @ layer.gate_dense.kernel.numpy())))
    expected = normalised(encoded) + gate * (word_block @ layer.word_dense.kernel.numpy())
    np.testing.assert_allclose(layer(encoded, words, known), expected, rtol=1e-3, atol=1e-4)


def test_pooled_vectors(encoded, words, known):
    pieces = np.asarray(layers.OutputFusion("concat")(encoded, words, known))
    pooled = layers.OutputFusion("concat")(encoded[:, 0], words[:, 0], known[:, 0])
    np.testing.assert_allclose(pooled, pieces[:, 0], atol=1e-6)


def test_unknown_mode():
    with pytest.raises(BertEmbedError, match=r"`output_fusion` must be one of .*Received: 'sum'"):
        layers.OutputFusion("sum")
