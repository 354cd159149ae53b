import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import tasks


def train(optimizer, steps=5, slices=False):
    """A table read by rows and a dense layer, after some steps in a graph."""
    rng = np.random.default_rng(0)
    table = keras.Variable(rng.normal(size=(7, 3)).astype("float32"), name="embeddings")
    kernel = keras.Variable(rng.normal(size=(3, 2)).astype("float32"), name="kernel")
    optimizer.build([table, kernel])

    @tf.function
    def step(rows):
        with tf.GradientTape() as tape:
            output = tf.matmul(tf.gather(table.value, rows), kernel.value)
            loss = tf.reduce_sum(tf.square(output - 1.0))
        gradients = tape.gradient(loss, [table.value, kernel.value])
        if not slices:
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply(gradients, [table, kernel])

    for number in range(steps):
        step(tf.constant([number % 7, 2, 2]))
    # Keras has no counts of steps by variable.
    slots = [v for v in optimizer.variables[2:] if v.name != "own_steps"]
    return [np.array(variable) for variable in (table, kernel, *slots)]


def near(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"weight_decay": 0.1, "global_clipnorm": 1.0},
        {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_momentum": 0.5},
    ],
)
def test_the_same_steps_as_keras_takes(arguments):
    near(train(tasks.AdamW(0.01, **arguments)), train(keras.optimizers.AdamW(0.01, **arguments)))


def test_under_loss_scaling():
    ours, theirs = (
        train(keras.optimizers.LossScaleOptimizer(kind(0.01)))
        for kind in (tasks.AdamW, keras.optimizers.AdamW)
    )
    near(ours, theirs)


@pytest.mark.parametrize("clip", [{}, {"global_clipnorm": 0.5}, {"clipnorm": 0.5}])
def test_a_row_that_is_read_twice_moves_by_the_sum(clip):
    sliced = train(tasks.AdamW(0.01, **clip), slices=True)
    near(sliced, train(keras.optimizers.AdamW(0.01, **clip)))


def test_variables_spread_over_devices():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(tasks.AdamW(0.1), "mse")
    before = model.get_weights()[0]
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0.01


def test_its_configuration():
    optimizer = keras.optimizers.deserialize(
        keras.optimizers.serialize(tasks.AdamW(0.5, weight_decay=0.1))
    )
    assert type(optimizer) is tasks.AdamW
    assert optimizer.weight_decay == 0.1
