import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError


def test_learned_rows_in_order():
    layer = layers.PositionEmbedding(6, 4)
    vectors = layer(np.zeros((2, 3), "int32"))
    np.testing.assert_array_equal(vectors, layer.position_embeddings.numpy()[:3])


def test_sinusoids_by_the_published_formula():
    layer = layers.PositionEmbedding(50, 6, kind="sinusoidal")
    vectors = np.asarray(layer(np.zeros((1, 50), "int32")))
    for place in (0, 1, 7, 49):
        for pair in range(3):
            angle = place / 10000 ** (2 * pair / 6)
            assert vectors[place, 2 * pair] == pytest.approx(np.sin(angle), abs=1e-5)
            assert vectors[place, 2 * pair + 1] == pytest.approx(np.cos(angle), abs=1e-5)
    assert layer.weights == []


def test_sinusoids_of_an_odd_width():
    assert layers.PositionEmbedding(4, 5, kind="sinusoidal")(np.zeros((1, 4), "int32")).shape == (
        4,
        5,
    )


@pytest.mark.parametrize("kind", ["learned", "sinusoidal"])
def test_too_long(kind):
    layer = layers.PositionEmbedding(4, 2, kind=kind)
    assert layer(np.zeros((1, 4), "int32")).shape == (4, 2)
    with pytest.raises(BertEmbedError, match=r"position table of 4 rows.*Received: 5 pieces"):
        layer(np.zeros((1, 5), "int32"))


def test_too_long_where_the_graph_only_learns_the_length_when_it_runs():
    layer = layers.PositionEmbedding(4, 2)
    layer.build((None, None))
    function = tf.function(layer, input_signature=[tf.TensorSpec([None, None], tf.int32)])
    assert function(tf.zeros((3, 4), tf.int32)).shape == (4, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="longer than the position table of 4"):
        function(tf.zeros((3, 5), tf.int32))


def test_unknown_kind():
    with pytest.raises(BertEmbedError, match=r"'learned' or 'sinusoidal'\. Received: 'rotary'"):
        layers.PositionEmbedding(4, 2, kind="rotary")
