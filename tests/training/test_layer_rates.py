"""A learning rate for each layer, against steps that NumPy takes."""

import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks, training
from tf_bertembed.common import BertEmbedError


@pytest.fixture(scope="module")
def task():
    backbone = models.BertEmbedBackbone(
        20,
        3,
        2,
        8,
        16,
        embedding_dim=4,
        static_vocabulary_size=5,
        static_dim=3,
        input_fusion="add",
        output_fusion="concat",
        static_trainable=True,
    )
    return tasks.TextClassifier(backbone, 2)


def expected_factor(path, decay, head):
    name = path.split("/")[0]
    if name.startswith("transformer_layer_"):
        return decay ** (3 - int(name[-1]))
    if name in ("pooler", "logits", "input_fusion", "output_fusion", "pooled_fusion"):
        return head
    return decay**4


def numpy_adamw(values, gradients, factors, decays, rate, steps):
    """Loshchilov and Hutter's algorithm 2 in float64, epsilon where TensorFlow has it."""
    m, v = (([0.0] * len(values)) for _ in range(2))
    values = [np.array(value, "float64") for value in values]
    for step in range(1, steps + 1):
        for i, (gradient, factor) in enumerate(zip(gradients, factors, strict=True)):
            values[i] = values[i] * (1 - rate * factor * decays[i])
            m[i] = 0.9 * m[i] + 0.1 * gradient
            v[i] = 0.999 * v[i] + 0.001 * gradient**2
            corrected = rate * factor * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            values[i] -= corrected * m[i] / (np.sqrt(v[i]) + 1e-7)
    return values


@pytest.mark.parametrize(("decay", "head"), [(0.5, 1.0), (0.9, 10.0)])
def test_rates_and_decay_against_numpy(decay, head, task):
    variables = task.trainable_variables
    start = [np.array(v) for v in variables]
    optimizer = training.create_optimizer(
        0.01,
        steps=10**9,
        warmup_share=0.0,
        weight_decay=0.3,
        clip_norm=None,
        layer_decay=decay,
        head_factor=head,
        task=task,
    )
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert copy.rate_factors == optimizer.rate_factors
    optimizer.build(variables)
    random = np.random.default_rng(0)
    gradients = [random.normal(size=v.shape).astype("float32") for v in variables]
    for _ in range(3):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    factors = [expected_factor(v.path, decay, head) for v in variables]
    assert set(factors) == {head, decay, decay**2, decay**3, decay**4}
    decays = [0.0 if v.name in ("bias", "gamma", "beta") else 0.3 for v in variables]
    expected = numpy_adamw(start, gradients, factors, decays, 0.01, 3)
    for variable, old, want in zip(variables, start, expected, strict=True):
        np.testing.assert_allclose(np.array(variable), want, rtol=1e-4, atol=2e-6)
        variable.assign(old)


def test_a_variable_opened_late_starts_as_in_a_new_optimizer():
    """Keras's own count of steps would make its first updates several times as large."""

    def variables():
        return [keras.Variable(np.ones(3, "float32"), name=name) for name in ("first", "late")]

    gradient = keras.ops.convert_to_tensor(np.array([0.3, -0.2, 0.1], "float32"))
    (first, late), (_, fresh) = variables(), variables()
    optimizer, other = tasks.AdamW(0.01), tasks.AdamW(0.01)
    optimizer.build([first, late])
    other.build([fresh])
    for _ in range(30):
        optimizer.apply([gradient], [first])
    for _ in range(5):
        optimizer.apply([gradient, gradient], [first, late])
        other.apply([gradient], [fresh])
    np.testing.assert_allclose(np.array(late), np.array(fresh), rtol=1e-6)
    assert int(optimizer.iterations) == 35


def test_a_state_without_counts_of_steps_is_taken_up():
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer, again = tasks.AdamW(0.01), tasks.AdamW(0.01)
    gradient = keras.ops.convert_to_tensor(np.ones(3, "float32"))
    for _ in range(4):
        optimizer.apply([gradient], [variable])
    store = {}
    optimizer.save_own_variables(store)
    del store[str(len(store) - 1)]
    again.build([variable])
    again.load_own_variables(store)
    for one, other in zip(again.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))


def test_the_longest_key_counts():
    names = {"a": 0.5, "a/b": 0.25, "a/b/kernel": 2.0}
    optimizer = tasks.AdamW(1.0, rate_factors=names)

    class Named:
        def __init__(self, path):
            self.path = path
            self.name = path.split("/")[-1]

    paths = {"a/x/kernel": 0.5, "a/b/bias": 0.25, "a/b/kernel": 2.0, "ab/kernel": 1.0}
    assert {path: optimizer._factor(Named(path)) for path in paths} == paths


def test_adapted_layers_keep_their_rates():
    backbone = models.BertEmbedBackbone(20, 2, 2, 8, 16)
    models.add_lora(backbone, 2)
    task = tasks.TextClassifier(backbone, 2)
    optimizer = training.create_optimizer(1e-3, steps=9, layer_decay=0.5, task=task)
    thin = [v for v in task.trainable_variables if "lora" in v.path]
    assert {optimizer._factor(v) for v in thin} == {0.5, 0.25}


def test_numbers_out_of_range(task):
    for decay in (0.0, 1.1, -1.0):
        with pytest.raises(BertEmbedError, match=rf"layer_decay={decay}"):
            training.create_optimizer(1e-3, 9, layer_decay=decay, task=task)
    with pytest.raises(BertEmbedError, match="head_factor=0"):
        training.create_optimizer(1e-3, 9, head_factor=0, task=task)
    with pytest.raises(BertEmbedError, match=r"pass `task`.*layer_decay=0\.9"):
        training.create_optimizer(1e-3, 9, layer_decay=0.9)
