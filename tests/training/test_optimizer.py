import keras
import numpy as np
import pytest

from tf_bertembed import training


def test_biases_and_normalisation_are_not_decayed():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), keras.layers.LayerNormalization()]
    )
    optimizer = training.create_optimizer(1.0, steps=2, warmup_share=0.0, weight_decay=0.5)
    optimizer.build(model.trainable_variables)
    before = [np.array(v) for v in model.trainable_variables]
    optimizer.apply([keras.ops.zeros_like(v) for v in model.trainable_variables])
    for variable, old in zip(model.trainable_variables, before, strict=True):
        expected = old * 0.5 if variable.name == "kernel" else old
        np.testing.assert_allclose(np.array(variable), expected, rtol=1e-6)


def test_gradients_are_clipped_together():
    def step(gradient):
        variable = keras.Variable(np.zeros(2, "float32"), name="kernel")
        optimizer = training.create_optimizer(0.1, steps=9, warmup_share=0.0, clip_norm=1.0)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        return np.array(optimizer.variables[2])

    # What Adam remembers of gradients: far beyond the norm they are all alike.
    np.testing.assert_allclose(step([3.0, 4.0]), step([30.0, 40.0]), rtol=1e-5)
    assert not np.allclose(step([0.3, 0.4]), step([0.03, 0.04]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak": 0.0, "steps": 5}, "peak=0.0"),
        ({"peak": 1.0, "steps": 0}, "steps=0"),
        ({"peak": 1.0, "steps": 5, "warmup_steps": 5}, "warmup_steps=5"),
    ],
)
def test_a_schedule_out_of_range_says_what_it_got(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.LinearWarmup(**arguments)


def test_a_schedule_survives_its_configuration():
    schedule = training.LinearWarmup(1e-3, 100, 10)
    copy = training.LinearWarmup.from_config(schedule.get_config())
    assert [float(copy(s)) for s in (0, 5, 55, 200)] == [
        float(schedule(s)) for s in (0, 5, 55, 200)
    ]
    assert float(schedule(200)) == 0.0
