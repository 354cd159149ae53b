import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

MODES = ("add", "concat", "gate")


@pytest.fixture
def tokens():
    return np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")


@pytest.fixture
def words():
    return np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")


@pytest.mark.parametrize("mode", MODES)
def test_starts_as_the_token_embedding_alone(mode, tokens, words):
    np.testing.assert_array_equal(layers.InputFusion(mode)(tokens, words), tokens)


@pytest.mark.parametrize("mode", MODES)
def test_formula(mode, tokens, words):
    random = np.random.default_rng(2)
    layer = layers.InputFusion(mode)
    layer.build(tokens.shape, words.shape)
    for variable in layer.weights:
        variable.assign(random.normal(size=variable.shape))
    joined = words @ layer.word_kernel.numpy()
    if mode == "add":
        expected = tokens + joined
    elif mode == "concat":
        expected = tokens @ layer.token_kernel.numpy() + joined
    else:
        both = np.concatenate([tokens, words], axis=-1)
        gate = both @ layer.gate_dense.kernel.numpy() + layer.gate_dense.bias.numpy()
        expected = tokens + joined / (1 + np.exp(-gate))
    np.testing.assert_allclose(layer(tokens, words), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["add", "gate"])
def test_a_piece_without_a_word_keeps_its_embedding(mode, tokens, words):
    layer = layers.InputFusion(mode)
    layer.build(tokens.shape, words.shape)
    layer.word_kernel.assign(np.ones(layer.word_kernel.shape))
    words[0, 2] = 0
    fused = np.asarray(layer(tokens, words))
    np.testing.assert_array_equal(fused[0, 2], tokens[0, 2])
    assert np.abs(fused[0, 1] - tokens[0, 1]).max() > 1e-3


def test_unknown_mode():
    with pytest.raises(BertEmbedError, match=r"`input_fusion` must be one of .*Received: 'sum'"):
        layers.InputFusion("sum")
