import numpy as np
import pytest

from tf_bertembed import layers


@pytest.fixture(scope="module")
def pieces():
    return np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")


def test_words_of_texts_of_one_and_of_several_windows(pieces):
    counts, places = np.array([1, 2, 1]), np.array([[1, 3, -1], [4, 6, 9], [-1, -1, -1]])
    words = np.asarray(layers.FirstPieces()(pieces, counts, places))
    expected = np.zeros((3, 3, 3), "float32")
    expected[0, 0], expected[0, 1] = pieces[0, 1], pieces[0, 3]
    expected[1, 0], expected[1, 1], expected[1, 2] = pieces[1, 4], pieces[2, 1], pieces[2, 4]
    np.testing.assert_array_equal(words, expected)


def test_half_precision_is_kept(pieces):
    layer = layers.FirstPieces(dtype="mixed_float16")
    assert layer(pieces, np.ones(4, "int32"), np.zeros((4, 2), "int32")).dtype == "float16"
    again = layers.FirstPieces.from_config(layer.get_config())
    assert again.compute_dtype == "float16"
