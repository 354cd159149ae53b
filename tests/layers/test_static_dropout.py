import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

# Words of one to four pieces, none of them zero.
LENGTHS = np.random.default_rng(0).integers(1, 5, size=(200, 40))
IDS = np.stack([np.repeat(np.arange(1, 41), row)[:60] for row in LENGTHS]).astype("int32")[:, :40]


def dropped(rate, seed=3, ids=IDS):
    return np.asarray(layers.StaticDropout(rate, seed=seed)(ids, training=True))


def test_the_share_of_words_dropped():
    kept = dropped(0.3)
    starts = np.diff(IDS, prepend=0) > 0
    share = (kept[starts] == 0).mean()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / starts.sum()) ** 0.5
    assert ((kept == 0) | (kept == IDS)).all()


def test_the_pieces_of_a_word_lose_it_together():
    kept = dropped(0.5)
    for row, ids in zip(kept, IDS, strict=True):
        for word in np.unique(ids):
            assert len(set(row[ids == word])) == 1


def test_a_seed_repeats_and_each_call_draws_anew():
    layer = layers.StaticDropout(0.5, seed=3)
    first, second = (np.asarray(layer(IDS, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(dropped(0.5), first)


def test_edges():
    np.testing.assert_array_equal(layers.StaticDropout(0.5)(IDS), IDS)
    np.testing.assert_array_equal(dropped(0.0), IDS)
    assert not dropped(1.0).any()
    assert not dropped(0.5, ids=np.zeros((3, 5), "int32")).any()
    assert dropped(0.5, ids=np.zeros((0, 5), "int32")).shape == (0, 5)
    assert layers.StaticDropout(0.5)(IDS, training=True).dtype == tf.int32


def test_in_a_graph_of_any_shape():
    layer = layers.StaticDropout(0.5, seed=3)
    graph = tf.function(
        lambda ids: layer(ids, training=True),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    np.testing.assert_array_equal(graph(IDS), dropped(0.5))


def test_its_configuration():
    layer = keras.layers.deserialize(keras.layers.serialize(layers.StaticDropout(0.2, seed=4)))
    assert (type(layer), layer.rate, layer.seed) == (layers.StaticDropout, 0.2, 4)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_no_share(rate):
    with pytest.raises(BertEmbedError, match=rf"from 0 to 1\. Received: {rate}"):
        layers.StaticDropout(rate)
