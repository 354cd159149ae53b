import keras
import numpy as np

from tf_bertembed.layers.initializers import BertInitializer, bert_initializer, without_drawing


def test_it_draws_as_bert_does_and_by_the_seed_of_keras():
    def draw():
        keras.utils.set_random_seed(5)
        return np.asarray(bert_initializer()((200, 100)))

    drawn = draw()
    assert 0 < np.abs(drawn).max() <= 0.04
    # A normal distribution cut at two deviations keeps 0.88 of its deviation.
    assert abs(drawn.std() / 0.02 - 0.8796) < 0.01
    np.testing.assert_array_equal(drawn, draw())
    assert not np.array_equal(drawn, np.asarray(bert_initializer()((200, 100))))


def test_without_drawing_it_gives_zeros_and_later_what_it_would_have_drawn():
    keras.utils.set_random_seed(5)
    expected = np.asarray(bert_initializer()((3, 4)))
    keras.utils.set_random_seed(5)
    with without_drawing() as skipped:
        initializer = bert_initializer()
        assert not np.asarray(initializer((3, 4))).any()
        # Others are not touched: a layer may lean on what they give.
        assert np.asarray(keras.initializers.TruncatedNormal()((3, 4))).any()
    assert skipped == [initializer]
    np.testing.assert_array_equal(initializer((3, 4)), expected)


def test_a_configuration_survives_and_names_no_seed_drawn():
    initializer = bert_initializer()
    config = initializer.get_config()
    assert config == {"mean": 0.0, "stddev": 0.02, "seed": None}
    assert isinstance(BertInitializer.from_config(config), BertInitializer)
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    assert isinstance(again, BertInitializer)
