"""Weights stored as bfloat16: half the room, the same answers but for their rounding."""

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, tasks
from tf_bertembed.common import BertEmbedError
from tf_bertembed.export import precision
from tf_bertembed.export.inference import large_weights

TEXTS = ["Ada wrote.", "🙂 Café", "我住", "", "wrote wrote Ada"]


@pytest.fixture(scope="module")
def short(named, tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision") / "short"
    return export.export_saved_model(named, folder, examples=TEXTS, precision="bfloat16")


def test_matrices_are_stored_in_half_the_room(named, short):
    saved = tf.train.load_checkpoint(str(short / "variables" / "variables"))
    types = saved.get_variable_to_dtype_map()
    shapes = saved.get_variable_to_shape_map()
    kept = sorted(tuple(shapes[name]) for name in shapes if types[name] == tf.bfloat16)
    assert kept == sorted(tuple(variable.shape) for variable in large_weights(named))
    others = {tuple(shapes[name]) for name in shapes if types[name] == tf.float32}
    assert all(len(shape) == 1 for shape in others)


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


def test_pythons_tensorflow_loads_it_too(short):
    loaded = tf.saved_model.load(short)
    expected = export.answer(short, TEXTS, "embed")["embedding"]
    found = loaded.signatures["embed"](tf.constant(TEXTS))["embedding"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_task_itself_keeps_its_weights(make_parts, tmp_path):
    encoder = tasks.SentenceEncoder(*make_parts())
    before = encoder.get_weights()
    export.export_saved_model(encoder, tmp_path, examples=TEXTS, precision="bfloat16", warmup=False)
    for old, new in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


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
