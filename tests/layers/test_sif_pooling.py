import keras
import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError


def test_common_pieces_count_for_little_and_special_ones_for_nothing():
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 5, 4)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], bool)
    ids = np.array([[2, 5, 6, 7, 3], [2, 6, 3, 0, 0], [2, 3, 0, 0, 0]])
    counts = np.array([0, 0, 9, 9, 0, 60, 20, 0])
    pooling = layers.SifPooling(8, a=0.01)
    assert not pooling.has_frequencies
    pooling.set_frequencies(counts)
    weight = 0.01 / (0.01 + counts / counts.sum())
    expected = [
        (x[0, 1:4] * weight[[5, 6, 7], None]).sum(0) / 3,
        x[1, 1] * weight[6],
        np.zeros(4),
    ]
    np.testing.assert_allclose(pooling(x, mask, ids), expected, rtol=1e-5, atol=1e-7)
    assert weight[5] < weight[6] < weight[7] == 1


def test_the_weights_are_saved_and_not_trained(tmp_path):
    inputs = [
        keras.Input((None, 4)),
        keras.Input((None,), dtype="bool"),
        keras.Input((None,), dtype="int32"),
    ]
    model = keras.Model(inputs, layers.SifPooling(8, name="sif")(*inputs))
    model.get_layer("sif").set_frequencies(range(8))
    assert not model.trainable_variables
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").get_layer("sif")
    assert loaded.a == 1e-3
    np.testing.assert_array_equal(
        loaded.piece_weights.numpy(), model.get_layer("sif").piece_weights.numpy()
    )


def test_what_is_refused():
    for arguments in ((0,), (4, 0.0)):
        with pytest.raises(BertEmbedError, match="an `a` above 0"):
            layers.SifPooling(*arguments)
    pooling = layers.SifPooling(3)
    for counts, message in (
        ([1, 2], r"shape \(3,\). Received: shape \(2,\)"),
        ([0, 0, 0], "not all 0"),
        ([1, -1, 0], "0 or more"),
        ([1, np.inf, 0], "finite"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            pooling.set_frequencies(counts)
