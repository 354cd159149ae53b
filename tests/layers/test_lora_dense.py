import keras
import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

X = np.random.default_rng(0).normal(size=(5, 8)).astype("float32")


def adapted(blocks=3, chosen=(0, 2), rank=2, alpha=6, **arguments):
    """A layer with a change in every matrix, and what it computes, in float64."""
    random = np.random.default_rng(1)
    dense = layers.LoraDense(12, blocks=blocks, **arguments)
    dense.build((None, 8))
    dense.bias.assign(random.normal(size=12))
    dense.enable_lora(rank, lora_alpha=alpha, chosen=chosen)
    dense.lora_kernel_b.assign(random.normal(size=dense.lora_kernel_b.shape))
    kernel = np.array(dense._kernel, "float64")
    a, b = (np.array(v, "float64") for v in (dense.lora_kernel_a, dense.lora_kernel_b))
    width = 12 // blocks
    for place, block in enumerate(chosen or range(blocks)):
        change = a[:, place * rank : (place + 1) * rank] @ b[place]
        kernel[:, block * width : (block + 1) * width] += alpha / rank * change
    return dense, kernel, X.astype("float64") @ kernel + np.array(dense.bias, "float64")


@pytest.mark.parametrize(("blocks", "chosen"), [(3, (0, 2)), (3, (1,)), (3, None), (1, None)])
def test_the_merged_product(blocks, chosen):
    dense, kernel, expected = adapted(blocks, chosen)
    np.testing.assert_allclose(dense(X), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dense.kernel, kernel, rtol=1e-5, atol=1e-6)
    dense.merge_lora()
    np.testing.assert_allclose(dense(X), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dense._kernel, kernel, rtol=1e-5, atol=1e-6)
    assert [v.name for v in dense.weights] == ["kernel", "bias"]
    dense.enable_lora(1)
    np.testing.assert_allclose(dense(X), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("chosen", [(0,), (1, 2), None])
def test_starts_as_the_layer_that_it_was(chosen):
    dense = layers.LoraDense(12, blocks=3, activation="relu")
    before = np.asarray(dense(X))
    dense.enable_lora(2, chosen=chosen)
    np.testing.assert_array_equal(dense(X), before)
    assert np.asarray(dense.lora_kernel_a).any()


def test_only_the_thin_matrices_are_trained_whatever_is_set():
    dense = adapted()[0]
    names = ["lora_kernel_a", "lora_kernel_b"]
    assert [v.name for v in dense.trainable_variables] == names
    dense.trainable = False
    assert not dense.trainable_variables
    dense.trainable = True
    assert [v.name for v in dense.trainable_variables] == names
    dense.merge_lora()
    assert [v.name for v in dense.trainable_variables] == ["kernel", "bias"]


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(dtype):
    dense, _, expected = adapted(dtype=dtype)
    output = dense(X)
    assert output.dtype == dtype.removeprefix("mixed_")
    assert {v.dtype for v in dense.weights} == {"float32"}
    # What is saved is not cut to half precision.
    assert dense.kernel.dtype == "float32"
    bound = 5e-3 if dtype == "mixed_float16" else 5e-2
    assert np.abs(np.array(output, "float64") - expected).max() < bound * np.abs(expected).max()


def test_what_is_saved_is_an_ordinary_layer(tmp_path):
    dense, _, expected = adapted()
    model = keras.Sequential([keras.Input((8,)), dense])
    model.save_weights(tmp_path / "m.weights.h5")
    plain = keras.Sequential([keras.Input((8,)), layers.LoraDense(12, blocks=3)])
    plain.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(plain(X), expected, rtol=1e-5, atol=1e-5)
    # The adapted layer itself goes on from there.
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(model(X), expected, rtol=1e-5, atol=1e-5)
    assert dense.lora_enabled
    assert np.asarray(dense.lora_kernel_a).any()
    assert keras.layers.deserialize(keras.layers.serialize(dense)).blocks == 3


def test_what_cannot_be_adapted():
    dense = layers.LoraDense(12, blocks=3)
    with pytest.raises(BertEmbedError, match="built layer"):
        dense.enable_lora(2)
    dense.build((None, 8))
    for rank in (0, 5):
        with pytest.raises(BertEmbedError, match=rf"from 1 to 4.*Received: {rank}"):
            dense.enable_lora(rank)
    for chosen in ((), (3,), (-1, 0)):
        with pytest.raises(BertEmbedError, match="blocks from 0 to 2"):
            dense.enable_lora(2, chosen=chosen)
    dense.enable_lora(2)
    with pytest.raises(BertEmbedError, match="neither adapted nor quantized"):
        dense.enable_lora(2)
    with pytest.raises(BertEmbedError, match="Merge before quantizing"):
        dense.quantize("int8")
    with pytest.raises(BertEmbedError, match="units=10, blocks=3"):
        layers.LoraDense(10, blocks=3)


def test_a_plain_layer_can_be_quantized():
    dense = layers.LoraDense(12)
    before = np.asarray(dense(X))
    dense.quantize("int8")
    assert np.abs(np.asarray(dense(X)) - before).max() < 0.05 * np.abs(before).max()
