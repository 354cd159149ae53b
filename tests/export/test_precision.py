"""Weights stored as bfloat16: half the room, the same answers but for their rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, tasks
from tf_bertembed.common import BertEmbedError
from tf_bertembed.export import precision
from tf_bertembed.export.inference import large_weights, rounded_form
from tf_bertembed.export.short_weights import ShortWeights

TEXTS = ["Ada wrote.", "🙂 Café", "我住", "", "wrote wrote Ada"]


@pytest.fixture(scope="module")
def short(named, tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision") / "short"
    return export.export_saved_model(named, folder, examples=TEXTS, precision="bfloat16")


@pytest.mark.slow
def test_matrices_are_stored_in_half_the_room(named, short):
    saved = tf.train.load_checkpoint(str(short / "variables" / "variables"))
    types = saved.get_variable_to_dtype_map()
    shapes = saved.get_variable_to_shape_map()
    kept = sorted(tuple(shapes[name]) for name in shapes if types[name] == tf.bfloat16)
    assert kept == sorted(tuple(variable.shape) for variable in large_weights(named))
    others = {tuple(shapes[name]) for name in shapes if types[name] == tf.float32}
    assert all(len(shape) == 1 for shape in others)


@pytest.mark.slow
def test_it_is_verified_and_near_to_float32(named, named_path, short):
    report = export.verify(short)
    assert report.ok, str(report)
    told = export.read_metadata(short)
    assert told["precision"] == "bfloat16"
    assert 1e-5 < told["rounding"] < precision.MOST_ROUNDING
    with export.CApiModel(named_path) as exact, export.CApiModel(short) as rounded:
        expected = exact.run({"text": TEXTS}, "embed")["embedding"]
        found = rounded.run({"text": TEXTS}, "embed")["embedding"]
    assert found.dtype == np.float32
    distance = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < distance <= told["rounding"]


@pytest.mark.slow
def test_pythons_tensorflow_loads_it_too(short):
    loaded = tf.saved_model.load(short)
    expected = export.answer(short, TEXTS, "embed")["embedding"]
    found = loaded.signatures["embed"](tf.constant(TEXTS))["embedding"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_rounded_task_is_a_copy(make_parts):
    encoder = tasks.SentenceEncoder(*make_parts())
    before = encoder.get_weights()
    rounded = rounded_form(encoder, tf.bfloat16)
    for old, kept, new in zip(before, encoder.get_weights(), rounded.weights, strict=True):
        np.testing.assert_array_equal(old, kept)
        expected = tf.cast(tf.cast(old, tf.bfloat16), tf.float32) if old.ndim > 1 else old
        np.testing.assert_array_equal(new, expected)


def test_stored_weights_are_widened_by_the_loader(tmp_path):
    dense = keras.layers.Dense(2)
    dense.build((None, 3))
    dense.kernel.assign([[1.0, -2.0], [0.5, 4.0], [0.25, 8.0]])
    weights = ShortWeights(dense, tf.bfloat16)

    def serve(text):
        with weights.in_place():
            lengths = tf.cast(tf.strings.length(text), tf.float32)
            return {"output": dense(tf.repeat(lengths[:, None], 3, axis=1))}

    module = tf.Module()
    module.stored, module.filled = weights.stored(), weights.resources()
    module.bias = dense.bias.value
    spec = tf.TensorSpec([None], tf.string, name="text")
    traced = tf.function(serve, input_signature=[spec], autograph=False)
    tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": traced})
    saved = dict(tf.train.list_variables(str(tmp_path / "m" / "variables" / "variables")))
    assert sum(shape == [3, 2] for shape in saved.values()) == 1
    with export.CApiModel(tmp_path / "m") as model:
        assert model.run({"text": ["a", "bb"]})["output"].tolist() == [[1.75, 10], [3.5, 20]]
    loaded = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    assert loaded(tf.constant(["a"]))["output"].numpy().tolist() == [[1.75, 10]]


@pytest.mark.slow
def test_answers_that_move_too_far_are_not_exported(named, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "MOST_ROUNDING", 1e-6)
    with pytest.raises(BertEmbedError, match=r"Weights in bfloat16 .* at \w+\.\w+. Export it in"):
        export.export_saved_model(named, tmp_path, examples=TEXTS, precision="bfloat16")
    assert not list(tmp_path.iterdir())


def test_other_precisions(named, tiny_task, tmp_path):
    with pytest.raises(BertEmbedError, match=r"one of float32, bfloat16. Received: 'int8'"):
        export.export_saved_model(named, tmp_path, precision="int8")
    with pytest.raises(BertEmbedError, match=r"tasks of tf_bertembed.tasks.*Received: TinyTask"):
        export.export_saved_model(tiny_task(), tmp_path, precision="bfloat16")
    assert not list(tmp_path.iterdir())
