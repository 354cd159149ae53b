"""`tf-bertembed verify`: the verdict, on paper and as JSON, and the exit code."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import cli, export
from tf_bertembed.export.records import write_record


class Upper(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        return {"upper": tf.strings.upper(text)}


@pytest.fixture
def saved(tmp_path):
    def save(answers):
        folder, module = tmp_path / "upper" / "1", Upper()
        tf.saved_model.save(module, str(folder), {"serving_default": module.__call__})
        inputs = {"serving_default": {"text": ["a", "b"]}}
        write_record(folder, inputs, {"serving_default": {"upper": answers}}, {})
        return folder

    return save


def test_ready(saved, capsys):
    folder = saved(np.array(["A", "B"]))
    assert cli.main(["verify", str(folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "serving_default(text: string)" in "\n".join(shown)
    assert shown[-1] == "ready"


def test_not_ready(saved, capsys):
    folder = saved(np.array(["A", "C"]))
    assert cli.main(["verify", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["ok"], told["examples"]) == ("not ready", False, 2)
    (reason,) = told["reasons"]
    assert reason.startswith("'serving_default' answers otherwise than it should: upper  string")
    assert told["warm_up"] is None
    assert told["size"] > 0
    assert told["load_seconds"] > 0


def test_a_model_that_does_not_load(saved, capsys):
    folder = saved(np.array(["A", "B"]))
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-100])
    assert cli.main(["verify", str(folder)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert "  problem: saved_model.pb is damaged: it is no SavedModel." in "\n".join(shown)
    assert shown[-1] == "not ready"


def test_bad_input_is_one_line(saved, capsys, tmp_path):
    for arguments, message in (
        ([str(tmp_path / "nothing")], "nothing does not exist"),
        ([str(tmp_path)], "The folder holds no saved_model.pb"),
        ([str(tmp_path), "--tolerance", "-1"], "--tolerance"),
    ):
        assert cli.main(["verify", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_the_names_are_public():
    assert {"OutputCheck", "VerificationReport", "WarmUp", "verify"} <= set(export.__all__)
