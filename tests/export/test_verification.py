"""A model that answers otherwise than it did in memory is found."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export
from tf_bertembed.common import FileFormatError, MissingFileError
from tf_bertembed.export.records import RECORD
from tf_bertembed.export.verification import compare


def change_record(folder, change):
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    change(record["signatures"])
    (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")


def test_an_exported_model_is_verified(exported):
    report = export.verify(exported)
    assert report.ok
    assert report.difference <= 1e-6
    assert report.problems == ()
    assert report.tensorflow == tf.version.VERSION
    assert [(check.signature, check.output) for check in report.checks] == [
        ("embed", "embedding"),
        ("serving_default", "label"),
        ("serving_default", "probabilities"),
        ("serving_default", "row"),
    ]
    assert {"FastWordpieceTokenizeWithOffsets", "LookupTableFindV2"} <= set(report.ops)
    assert "1: verified (8 examples, TensorFlow 2." in str(report)
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def test_a_pair_is_verified(tiny_pair_task, tmp_path):
    task = tiny_pair_task()
    path = export.export_saved_model(task, tmp_path, examples=[("good", "film"), ("我", "住")])
    report = export.verify(path)
    assert report.ok
    assert report.examples == 2


def test_other_weights_are_found(tiny_task, tmp_path):
    task = tiny_task()
    path = export.export_saved_model(task, tmp_path / "a")
    task.vectors.assign(task.vectors * 1.001)
    other = export.export_saved_model(task, tmp_path / "b")
    (path / RECORD).write_bytes((other / RECORD).read_bytes())
    report = export.verify(path)
    assert not report.ok
    assert report.difference == pytest.approx(1e-3, rel=0.01)
    assert "NOT VERIFIED" in str(report)
    assert "FAILED  embedding" in str(report)
    assert export.verify(path, tolerance=0.01).ok


def test_changed_records_are_found(copied):
    def change(signatures):
        signatures["serving_default"]["label"]["values"][0] = "other"
        signatures["embed"]["gone"] = {"dtype": "int32", "shape": [1], "values": [1]}
        del signatures["serving_default"]["row"]

    change_record(copied, change)
    report = export.verify(copied)
    assert not report.ok
    assert report.problems == (
        "'embed' lacks the output 'gone' that was recorded.",
        "'serving_default' has an output 'row' that was not recorded.",
    )
    label = next(check for check in report.checks if check.output == "label")
    assert not label.ok
    assert label.difference == 1 / 8


def test_a_signature_that_was_not_recorded(copied):
    change_record(copied, lambda signatures: signatures.pop("embed"))
    report = export.verify(copied)
    assert not report.ok
    assert report.problems == ("The model has a signature 'embed' that was not recorded.",)


def test_missing_and_damaged(copied, tmp_path):
    with pytest.raises(MissingFileError, match="nothing does not exist"):
        export.verify(tmp_path / "nothing")
    with pytest.raises(FileFormatError, match="Give the version too"):
        export.verify(copied.parent)
    (copied / RECORD).unlink()
    with pytest.raises(MissingFileError, match="records what the model answered"):
        export.verify(copied)


@pytest.mark.parametrize(
    ("recorded", "answered", "difference", "ok"),
    [
        ([2.0, -4.0], [2.0, -4.00002], 5e-6, True),
        ([2.0, -4.0], [2.0, -4.0002], 5e-5, False),
        ([0.0, 0.0], [0.0, 0.5], 0.5, False),
        ([0.0], [0.0], 0.0, True),
        ([1, 2], [1, 3], 0.5, False),
        ([True], [True], 0.0, True),
        (["a", "b"], ["a", "b"], 0.0, True),
        (["a", "b", "c", "d"], ["a", "b", "c", "e"], 0.25, False),
        (np.zeros((0, 3)), np.zeros((0, 3)), 0.0, True),
    ],
)
def test_differences(recorded, answered, difference, ok):
    check = compare("s", "o", np.array(recorded), np.array(answered), 1e-5)
    assert check.difference == pytest.approx(difference)
    assert check.ok is ok


@pytest.mark.parametrize("answered", [[np.nan, 1.0], [np.inf, 1.0]])
def test_an_answer_that_is_not_finite_fails(answered):
    assert not compare("s", "o", np.array([1.0, 1.0]), np.array(answered), 1e-5).ok


def test_another_type_or_shape_fails():
    check = compare("s", "o", np.array([1.0]), np.array([[1.0]]), 1e-5)
    assert not check.ok
    assert str(check) == "o  float64 [1, 1]  recorded as float64 [1]"
    assert not compare("s", "o", np.array(["1"]), np.array([1]), 1e-5).ok
