import keras
import numpy as np
import pytest

from tf_bertembed import layers

X = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")
PLACES = np.array([[1, 4, 0], [2, 2, 0]], "int32")


@pytest.fixture
def table():
    keras.utils.set_random_seed(0)
    table = keras.layers.Embedding(30, 6)
    table.build()
    return table


def test_scores_of_the_places_against_the_table(table):
    head = layers.MaskedLMHead(table, activation="relu")
    logits = np.asarray(head(X, PLACES))
    head.output_bias.assign(np.arange(30))
    chosen = np.take_along_axis(X, PLACES[..., None], axis=1)
    x = np.maximum(chosen @ head.transform_dense.kernel.numpy(), 0)
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    expected = x @ table.embeddings.numpy().T
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    np.testing.assert_allclose(head(X, PLACES), expected + np.arange(30), atol=1e-4)


def test_the_table_is_tied(table):
    head = layers.MaskedLMHead(table)
    before = np.asarray(head(X, PLACES))
    table.embeddings.assign(table.embeddings * 2)
    np.testing.assert_allclose(head(X, PLACES), 2 * before, rtol=1e-5, atol=1e-6)


def test_a_table_of_its_own(table):
    head = layers.MaskedLMHead(table, tie_weights=False)
    before = np.asarray(head(X, PLACES))
    table.embeddings.assign(table.embeddings * 2)
    np.testing.assert_array_equal(head(X, PLACES), before)
    head.output_embeddings.assign(head.output_embeddings * 2)
    np.testing.assert_allclose(head(X, PLACES), 2 * before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32(table, dtype):
    head = layers.MaskedLMHead(table, dtype=dtype)
    assert head(X, PLACES).dtype == "float32"
    told = head(keras.Input((None, 8)), keras.Input((None,), dtype="int32"))
    assert (told.dtype, told.shape) == ("float32", (None, None, 30))


def test_no_places(table):
    assert layers.MaskedLMHead(table)(X, PLACES[:, :0]).shape == (2, 0, 30)
