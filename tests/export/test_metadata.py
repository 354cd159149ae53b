"""What an export tells of itself."""

import hashlib
import json

import numpy as np
import pytest

from tf_bertembed import export, text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export.metadata import METADATA, exported_at, word_vector_facts


def test_a_classifier_is_described(named, named_path, tmp_path):
    told = export.read_metadata(named_path)
    assert told["task"] == "TextClassifier"
    assert told["labels"] == ["no", "yes", "人"]
    assert told["metrics"] == {"f1": 0.5}
    assert told["sequence_length"] == 16
    assert told["minimum_tensorflow_serving"] == "2.19"
    assert (told["precision"], told["rounding"]) == ("float32", None)
    assert set(told["versions"]) >= {"tf_bertembed", "tensorflow", "keras"}
    # The hash is that of the file that a RUN keeps.
    vocabulary = named.preprocessor.tokenizer.get_vocabulary()
    text.save_vocabulary(vocabulary, tmp_path / "vocab.txt")
    written = (tmp_path / "vocab.txt").read_bytes()
    assert told["vocabulary"]["sha256"] == hashlib.sha256(written).hexdigest()
    assert told["vocabulary"]["pieces"] == len(vocabulary)
    files = [named_path / "saved_model.pb", *(named_path / "variables").iterdir()]
    assert told["bytes"]["total"] == sum(path.stat().st_size for path in files)


def test_signatures_are_described(named_path):
    signatures = export.read_metadata(named_path)["signatures"]
    assert signatures["classify"] == {
        "method": "tensorflow/serving/classify",
        "inputs": {"inputs": {"dtype": "string", "shape": [None]}},
        "outputs": {
            "classes": {"dtype": "string", "shape": [None, 3]},
            "scores": {"dtype": "float32", "shape": [None, 3]},
        },
    }
    assert signatures["embed"]["outputs"]["embedding"] == {"dtype": "float32", "shape": [None, 12]}
    assert signatures["tokenize"]["outputs"]["starts"] == {"dtype": "int32", "shape": [None, None]}


def test_the_coverage_of_the_vocabulary(named, named_path):
    told = export.read_metadata(named_path)["word_vectors"]
    assert (told["words"], told["width"], told["output_fusion"]) == (3, 4, "concat")
    # As the preprocessor looks them up.
    tokenizer = named.preprocessor.tokenizer
    whole = [p for p in tokenizer.get_vocabulary()[5:] if not p.startswith("##")]
    rows = named.preprocessor(whole)["static_ids"].numpy()
    assert told["coverage"] == pytest.approx(np.mean(rows.max(axis=1) > 0), abs=1e-4)
    facts = word_vector_facts(named.backbone, ["wrote", "ADA"], tokenizer)
    assert facts["coverage"] == pytest.approx(1 / len(whole), abs=1e-4)


def test_a_task_of_ones_own_tells_what_it_can(exported):
    told = export.read_metadata(exported)
    assert told["task"] == "TinyTask"
    assert [told[name] for name in ("vocabulary", "word_vectors", "labels")] == [None] * 3
    assert set(told["signatures"]) == {"serving_default", "embed"}


def test_the_time_is_in_utc_or_chosen(exported, monkeypatch):
    assert export.read_metadata(exported)["exported_at"].endswith("+00:00")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert exported_at() == "1970-01-02T00:00:00+00:00"
    for wrong in ("tomorrow", "1.5", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(BertEmbedError, match=f"SOURCE_DATE_EPOCH.*Received: '{wrong}'"):
            exported_at()


def test_metrics_that_json_cannot_hold(tiny_task, tmp_path):
    for metrics in ({"f1": float("nan")}, {"f1": np.float32(0.5)}, 0.5):
        with pytest.raises(BertEmbedError, match="`metrics` must be a dict that JSON can hold"):
            export.export_saved_model(tiny_task(), tmp_path, examples=["a"], metrics=metrics)
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged(copied):
    path = copied / METADATA
    path.write_text(json.dumps({"format": 99}))
    with pytest.raises(FileFormatError, match=r"format 1 were expected. Received: 99"):
        export.read_metadata(copied)
    path.write_text("[]")
    with pytest.raises(FileFormatError, match="A JSON object was expected"):
        export.read_metadata(copied)
    path.unlink()
    with pytest.raises(MissingFileError, match="Export the model again"):
        export.read_metadata(copied)
    with pytest.raises(FileFormatError, match="Give the version too"):
        export.read_metadata(copied.parent)
