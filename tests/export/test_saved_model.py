"""Versions, atomic writing, and what goes into a SavedModel."""

import json

import pytest
import tensorflow as tf

from tf_bertembed import export, models, tasks, text
from tf_bertembed.common import BertEmbedError, FileFormatError, OutputExistsError
from tf_bertembed.export import saved_model
from tf_bertembed.export.records import RECORD

ONE = ["good film"]


def names_in(folder):
    return sorted(child.name for child in folder.iterdir())


def test_versions_count_up(tiny_task, tmp_path):
    folder = tmp_path / "saved models" / "tiny"
    assert export.export_saved_model(tiny_task(), folder, examples=ONE) == folder / "1"
    assert export.export_saved_model(tiny_task(), str(folder), examples=ONE) == folder / "2"
    assert export.export_saved_model(tiny_task(), folder, version=9, examples=ONE).name == "9"
    (folder / "notes").mkdir()
    assert export.export_saved_model(tiny_task(), folder, examples=ONE).name == "10"
    assert names_in(folder) == ["1", "10", "2", "9", "notes"]


def test_an_existing_version_stays_unless_told(tiny_task, tmp_path):
    path = export.export_saved_model(tiny_task(), tmp_path, version=3, examples=ONE)
    before = (path / "saved_model.pb").read_bytes()
    with pytest.raises(OutputExistsError, match=r"3 already exists. Choose another version"):
        export.export_saved_model(tiny_task(), tmp_path, version=3)
    assert (path / "saved_model.pb").read_bytes() == before
    export.export_saved_model(tiny_task(), tmp_path, version=3, examples=["good"], overwrite=True)
    assert json.loads((path / RECORD).read_text())["inputs"] == {"text": ["good"]}
    assert names_in(tmp_path) == ["3"]


def test_the_highest_version_that_servers_hold(tiny_task, tmp_path):
    highest = 2**63 - 1
    (tmp_path / str(highest + 1)).mkdir()
    with pytest.raises(BertEmbedError, match=f"at most {highest}.*Received: {highest + 1}"):
        export.export_saved_model(tiny_task(), tmp_path, version=highest + 1)
    (tmp_path / str(highest)).mkdir()
    with pytest.raises(BertEmbedError, match=f"holds version {highest}, the highest"):
        export.export_saved_model(tiny_task(), tmp_path)
    (tmp_path / str(highest)).rmdir()
    assert export.export_saved_model(tiny_task(), tmp_path, examples=ONE, warmup=False).name == "1"


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0])
def test_wrong_version(tiny_task, tmp_path, version):
    with pytest.raises(BertEmbedError, match=r"`version` must be an int of at least 1. Received"):
        export.export_saved_model(tiny_task(), tmp_path, version=version)


def test_a_file_in_place_of_the_folder(tiny_task, tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(FileFormatError, match="folder for the model's versions"):
        export.export_saved_model(tiny_task(), tmp_path / "file")


def test_no_preprocessor(tiny_task, tmp_path):
    task = tiny_task()
    task.preprocessor = None
    with pytest.raises(BertEmbedError, match="TinyTask with `preprocessor=None`"):
        export.export_saved_model(task, tmp_path)


def test_parts_that_do_not_fit(tmp_path):
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good"])
    fused = {"input_fusion": "add", "static_vocabulary_size": 3, "static_dim": 4}
    for arguments, message in (
        ({"max_sequence_length": 8}, r"Received: 16; at most: 8"),
        (fused, r"knows 0 words .* has 2"),
        ({"num_tags": 2}, "no preprocessor makes"),
    ):
        backbone = models.BertEmbedBackbone(6, 1, 2, 8, 16, **arguments)
        task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
        with pytest.raises(BertEmbedError, match=message):
            export.export_saved_model(task, tmp_path)
    assert not names_in(tmp_path)


def batch_sum(features):
    return {"total": tf.reduce_sum(features["row"])[tf.newaxis]}


def scalar(features):
    return {"total": tf.reduce_sum(features["row"])}


def nan(features):
    return {"nan": tf.cast(features["row"], tf.float32) / 0.0}


def brain_float(features):
    return {"row": tf.cast(features["row"], tf.bfloat16)}


@tf.function(jit_compile=True)
def twice(number):
    return 2 * number


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (batch_sum, r"first dimension must be the batch. Received: odd.total with shape \(1,\)"),
        (scalar, r"first dimension must be the batch. Received: odd.total with shape \(\)"),
        (nan, "must be finite.*odd.nan"),
        (brain_float, "cast them to float32. Received: odd.row with type bfloat16"),
        (lambda features: {"row": twice(features["row"])}, "could not load.*compiled by XLA"),
    ],
)
def test_what_cannot_be_served_is_not_written(tiny_task, tmp_path, function, message):
    with pytest.raises(BertEmbedError, match=message):
        export.export_saved_model(tiny_task(odd=function), tmp_path / "tiny", examples=ONE)
    assert not (tmp_path / "tiny").exists() or names_in(tmp_path / "tiny") == []


def test_a_broken_write_leaves_nothing(tiny_task, tmp_path, monkeypatch):
    export.export_saved_model(tiny_task(), tmp_path, examples=ONE)

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(saved_model, "write_record", full)
    with pytest.raises(OSError, match="No space left"):
        export.export_saved_model(tiny_task(), tmp_path, examples=ONE)
    assert names_in(tmp_path) == ["1"]


def test_only_state_that_is_read_is_saved(exported):
    names = dict(tf.train.list_variables(str(exported / "variables" / "variables")))
    weights = {name: shape for name, shape in names.items() if name.startswith("weights")}
    assert list(weights.values()) == [[13, 6]]


def test_the_record_names_versions_and_answers(exported):
    record = json.loads((exported / RECORD).read_text(encoding="utf-8"))
    assert set(record["versions"]) == {
        *("tf_bertembed", "tensorflow", "tensorflow-text", "keras", "keras-nlp")
    }
    labels = record["signatures"]["serving_default"]["label"]
    assert labels["dtype"] == "string"
    assert labels["shape"] == [len(record["inputs"]["text"])]
    assert {"no", "yes", "人"} >= set(labels["values"])


def test_python_tensorflow_loads_it_too(exported):
    loaded = tf.saved_model.load(exported)
    assert set(loaded.signatures) == {"serving_default", "embed"}
    assert loaded.signatures["embed"](tf.constant(["good", ""]))["embedding"].shape == (2, 6)
