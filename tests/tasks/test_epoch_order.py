import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks
from tf_bertembed.tasks.epoch_order import EpochOrder


def rows(order, epoch, count=50, batch_size=7):
    order.on_epoch_begin(epoch)
    data = {"number": tf.range(count)}, tf.strings.as_string(tf.range(count))
    batches = list(order.batches(data, count, batch_size))
    assert [int(numbers["number"].shape[0]) for numbers, _ in batches] == [7] * 7 + [1]
    for numbers, strings in batches:
        np.testing.assert_array_equal(tf.strings.as_string(numbers["number"]), strings)
    return np.concatenate([numbers["number"] for numbers, _ in batches]).tolist()


def test_seed_and_epoch_alone_decide():
    keras.utils.set_random_seed(3)
    order = EpochOrder()
    epochs = [rows(order, epoch) for epoch in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(50)]}) == 4
    assert rows(order, 1) == epochs[1]
    keras.utils.set_random_seed(3)
    assert rows(EpochOrder(), 2) == epochs[2]
    assert rows(EpochOrder(), 2) != epochs[2]


def test_the_number_of_batches_is_known():
    assert int(EpochOrder().batches((tf.range(50),), 50, 7).cardinality()) == 8


@pytest.mark.slow
def test_a_task_spread_over_devices_is_trained_outside_its_scope():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        task = tasks.TextClassifier(models.BertEmbedBackbone(40, 1, 2, 8, 16), 2)
        task.compile(tasks.AdamW(0.1, rate_factors={"pooler": 0.5}))
    ones = np.ones((4, 6), "int32")
    features = {"token_ids": ones, "segment_ids": 0 * ones, "padding_mask": ones == 1}
    before = task.get_weights()
    task.fit(features, [0, 1, 1, 1], batch_size=2, epochs=2, verbose=0)
    assert any((a != b).any() for a, b in zip(before, task.get_weights(), strict=True))
