import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

MATRIX = np.array([[0, 0], [1, 2], [3, 4]], "float32")


@pytest.fixture
def table():
    layer = layers.StaticEmbedding(3, static_dim=2)
    layer.set_vectors(MATRIX)
    return layer


def test_looks_up_rows(table):
    np.testing.assert_array_equal(table(np.array([[2, 0], [1, 1]])), MATRIX[[[2, 0], [1, 1]]])


def test_row_zero_stays_zero_in_training(table):
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.1)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((table(tf.constant([[0, 1]])) - 5.0) ** 2)
        gradients = tape.gradient(loss, table.trainable_variables)
        optimizer.apply(gradients, table.trainable_variables)
    trained = table.vectors.numpy()
    np.testing.assert_array_equal(trained[0], [0, 0])
    assert np.abs(trained[1] - MATRIX[1]).min() > 0.1


def test_the_table_is_kept_in_float32_and_answers_in_half_precision():
    layer = layers.StaticEmbedding(3, static_dim=2, dtype="mixed_float16")
    layer.set_vectors(MATRIX)
    assert layer.vectors.dtype == "float32"
    assert layer(np.array([[1]])).dtype == "float16"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((3, 5)), r"expected shape \(static_vocabulary_size, static_dim\) = \(3, 2\).*5"),
        (np.zeros((2, 2)), r"\(3, 2\)\. Received: shape \(2, 2\)"),
        (MATRIX[::-1], r"Row 0 .* must be zeros"),
        (np.array([[0, 0], [1, 2], [np.nan, 4]]), "Row 2 .* NaN or infinity"),
        (np.array([[0, 0], [np.inf, 2], [3, 4]]), "Row 1 .* NaN or infinity"),
    ],
)
def test_vectors_that_do_not_fit(table, matrix, message):
    with pytest.raises(BertEmbedError, match=message):
        table.set_vectors(matrix)
    np.testing.assert_array_equal(table.vectors.numpy(), MATRIX)


@pytest.mark.parametrize("sizes", [(0, 2), (3, 0), (-1, 2)])
def test_sizes(sizes):
    with pytest.raises(BertEmbedError, match="at least row 0 and a width"):
        layers.StaticEmbedding(*sizes)


@pytest.mark.parametrize("normalize", ["unit", "standard"])
def test_normalized(normalize):
    random = np.random.default_rng(0)
    matrix = np.concatenate([np.zeros((2, 50)), random.normal(0.5, 3, (4, 50))])
    layer = layers.StaticEmbedding(6, 50, normalize=normalize)
    layer.set_vectors(matrix)
    rows = matrix[2:] - (matrix[2:].mean(-1, keepdims=True) if normalize == "standard" else 0)
    size = np.linalg.norm(rows, axis=-1, keepdims=True)
    expected = rows / size * (1 if normalize == "unit" else 50**0.5)
    got = np.asarray(layer(np.arange(6)[None]))[0]
    np.testing.assert_allclose(got[2:], expected, rtol=1e-5, atol=1e-6)
    # The second row of zeros is a word's own.
    assert not got[:2].any()
    np.testing.assert_array_equal(layer.vectors, matrix.astype("float32"))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.normalize == normalize


@pytest.mark.parametrize("normalize", ["unit", "standard"])
def test_row_zero_stays_zero_where_normalized_vectors_are_trained(normalize):
    layer = layers.StaticEmbedding(3, 2, normalize=normalize)
    layer.set_vectors([[0, 0], [1, 2], [0, 0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((layer(tf.constant([[0, 1, 2]])) - [3.0, 5.0]) ** 2)
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.vectors.value)).numpy()
    assert not gradient[0].any()
    assert np.isfinite(gradient).all()


def test_unknown_normalization():
    with pytest.raises(BertEmbedError, match=r"`static_normalize` must be one of .*'length'"):
        layers.StaticEmbedding(3, 2, normalize="length")
