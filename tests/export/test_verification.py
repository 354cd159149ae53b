"""A model that answers otherwise than it did in memory is found."""

import json
import re
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tf_bertembed import export
from tf_bertembed.common import FileFormatError, MissingFileError
from tf_bertembed.export import fresh_process
from tf_bertembed.export.comparison import alone_difference, compare
from tf_bertembed.export.records import RECORD, write_record


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
    assert report.reasons == ()
    assert all(check.alone <= 1e-6 for check in report.checks)
    assert report.signatures["embed"] == {
        "method": "tensorflow/serving/predict",
        "inputs": {"text": {"dtype": "string", "shape": [None]}},
        "outputs": {"embedding": {"dtype": "float32", "shape": [None, 6]}},
    }
    assert 0 < report.load_seconds < 60
    assert 50e6 < report.library_memory < report.loaded_memory <= report.peak_memory < 4e9
    assert report.size == sum(f.stat().st_size for f in exported.rglob("*") if f.is_file())
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (told["ok"], told["verdict"], told["reasons"]) == (True, "ready", [])
    shown = str(report).splitlines()
    assert "/1 (8 examples, TensorFlow 2." in shown[0]
    # One word, and that at the end.
    assert [line for line in shown if "verified" in line.lower()] == []
    assert shown[-1] == "ready"


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
    assert "FAILED  embedding" in str(report)
    assert report.reasons[0].startswith("'embed' answers otherwise than it should: embedding  ")
    assert str(report).endswith("\nnot ready")
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


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def without_variables(folder):
    shutil.rmtree(folder / "variables")


def without_weights(folder):
    next((folder / "variables").glob("*.data*")).unlink()


def with_a_cut_graph(folder):
    cut(folder / "saved_model.pb")


def with_an_empty_graph(folder):
    (folder / "saved_model.pb").write_bytes(b"")


def with_a_cut_record(folder):
    cut(folder / RECORD)


def with_an_op_of_tomorrow(folder):
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    saved.meta_graphs[0].graph_def.node.add(name="picture", op="OfTomorrow")
    path.write_bytes(saved.SerializeToString())


@pytest.mark.parametrize(
    ("damage", "reasons"),
    [
        (without_variables, [r"variables/variables.index is missing, .* Export the model again\."]),
        (without_weights, [r"TensorFlow cannot load this SavedModel: .*variables.*"]),
        (with_a_cut_graph, [r"saved_model.pb is damaged: it is no SavedModel\. .*"]),
        (with_an_empty_graph, [r"saved_model.pb holds no graph with the tag 'serve', which .*"]),
        (with_a_cut_record, [r"assets.extra/tf_bertembed.json: The record is damaged\. .*"]),
        (
            with_an_op_of_tomorrow,
            [
                r"TensorFlow Serving 2.19 and 2.20 lack the op 'OfTomorrow', as in .*",
                r"TensorFlow cannot load this SavedModel: .*'OfTomorrow'.*",
            ],
        ),
    ],
)
def test_what_is_damaged_is_not_ready(copied, damage, reasons):
    damage(copied)
    report = export.verify(copied)
    assert not report.ok
    assert len(report.reasons) == len(reasons)
    for given, expected in zip(report.reasons, reasons, strict=True):
        assert re.fullmatch(expected, given)
        assert "{{" not in given
    assert str(report).endswith("\nnot ready")
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["verdict"] == "not ready"


def test_a_process_that_crashes_or_hangs_is_not_ready(exported, monkeypatch):
    monkeypatch.setattr(fresh_process, "TIMEOUT_SECONDS", 0.01)
    (reason,) = export.verify(exported).reasons
    assert reason.endswith("was ended since it took more than 0.01 seconds.")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(fresh_process, "TIMEOUT_SECONDS", 60)
    report = export.verify(exported)
    (reason,) = report.reasons
    assert "ended with code 1. Received: no output" in reason
    assert "/1 (8 examples, not loaded, " in str(report)


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


def test_a_difference_that_is_no_number_is_null_in_json():
    check = compare("s", "o", np.array([1.0]), np.array(["1"]), 1e-5)
    report = export.VerificationReport("m/1", "2.21.0", 1, 1e-5, (check,), (), ())
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["difference"] is None
    assert told["verdict"] == "not ready"


@pytest.mark.parametrize(
    ("batched", "singles", "expected"),
    [
        ([[1.0, 2.0], [4.0, 0.0]], [[[1.0, 2.0]], [[4.0]]], 0.0),
        ([[1.0, 2.0], [4.0, 0.0]], [[[1.0, 2.0]], [[5.0]]], 0.25),
        ([["a", ""], ["b", "c"]], [[["a"]], [["b", "x"]]], 1 / 3),
        ([[1.0], [2.0]], [[[1.0, 9.0]], [[2.0]]], np.inf),
        ([[1.0], [2.0]], [[[1.0]], [2.0]], np.inf),
    ],
)
def test_rows_of_a_batch_against_texts_alone(batched, singles, expected):
    value = alone_difference(np.array(batched), [np.array(single) for single in singles])
    assert value == pytest.approx(expected)


class Odd(tf.Module):
    """Signatures that no task of this package has."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def mixing(self, text):
        # What one text is answered depends on those beside it.
        length = tf.cast(tf.strings.length(text), tf.float32)
        return {"share": length / tf.reduce_sum(length)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.int32, name="token_ids")])
    def numbers(self, token_ids):
        return {"sum": tf.reduce_sum(token_ids, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([3], tf.string, name="text")])
    def fixed(self, text):
        return {"upper": tf.strings.upper(text)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def failing(self, text):
        return {"number": tf.strings.to_number(text)}


@pytest.fixture(scope="module")
def odd_report(tmp_path_factory):
    folder, module = tmp_path_factory.mktemp("odd"), Odd()
    names = ("mixing", "numbers", "fixed", "failing")
    tf.saved_model.save(module, str(folder), {name: getattr(module, name) for name in names})
    texts = {"text": ["a", "bcd"]}
    shares = {"share": np.array([0.25, 0.75], np.float32)}
    outputs = {"mixing": shares, "failing": {"number": np.zeros(2, np.float32)}, "gone": shares}
    write_record(folder, dict.fromkeys(outputs, texts), outputs, {})
    return export.verify(folder)


def test_what_depends_on_the_rest_of_the_batch_is_found(odd_report):
    (check,) = odd_report.checks
    assert (check.signature, check.ok, check.difference) == ("mixing", False, 0.0)
    assert check.alone == pytest.approx(1.0)
    assert str(check) == "share  float32 [2]  difference 0.0e+00, alone 1.0e+00"


def test_a_signature_of_numbers_is_not_run_and_said_so(odd_report):
    assert (
        "'numbers' was not run, since it takes int32 [None, 4] as 'token_ids'." in odd_report.notes
    )
    assert not any("'numbers'" in reason for reason in odd_report.reasons)


def test_a_signature_that_fails_or_is_gone_is_a_problem(odd_report):
    assert any(
        "the signature 'failing' failed" in problem
        and problem.endswith("could not correctly convert string: a")
        for problem in odd_report.problems
    )
    assert "The model lacks the signature 'gone' that was recorded." in odd_report.problems


def test_a_fixed_batch_is_a_problem(odd_report):
    for side in ("input 'text'", "output 'upper'"):
        assert (
            f"The first dimension of the {side} of 'fixed' is not the batch: its shape is [3]."
            in odd_report.problems
        )
    assert any("There is no signature 'serving_default'" in note for note in odd_report.notes)
    assert any("There are no warm-up requests" in note for note in odd_report.notes)
    assert odd_report.warm_up is None
