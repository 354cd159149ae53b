"""Answers from a process that never imports TensorFlow."""

import sys

import pytest

from tf_bertembed import export
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export import fresh_process


def test_a_list_of_texts(exported):
    outputs = export.answer(exported, ["café", "我", "cafe"])
    assert outputs["row"].tolist() == [1, 2, 0]
    assert outputs["label"].dtype.kind == "U"
    assert outputs["probabilities"].shape == (3, 3)


def test_relative_path_and_named_inputs(exported, monkeypatch):
    monkeypatch.chdir(exported.parent)
    outputs = export.answer(exported.name, {"text": ["good"]}, signature="embed")
    assert list(outputs) == ["embedding"]


def test_the_package_is_found_from_any_folder(exported, tmp_path, monkeypatch):
    root = fresh_process.PACKAGE_ROOT
    monkeypatch.setattr(sys, "path", ["", *(p for p in sys.path if p not in ("", root))])
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    assert export.answer(exported, ["good"])["label"].shape == (1,)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("good", r"not one text\. Pass \[text\]\. Received: 'good'"),
        (b"good", r"not one text"),
        (["good", 3], r"Row 1 holds 3 \(int\)"),
        ([None], r"Row 0 holds None"),
        (["\ud83d"], r"half of a surrogate pair"),
        (None, r"Received: shape \(\)"),
        ({"text": "good"}, r"of `text`, not one text"),
        ({"text": [b"a", "b"]}, r"Row 0 of `text` holds b'a' \(bytes\)"),
    ],
)
def test_what_is_no_list_of_texts(inputs, message, exported):
    with pytest.raises(BertEmbedError, match=message):
        export.answer(exported, inputs)


def test_errors_cross_the_process(exported, copied, tmp_path):
    with pytest.raises(BertEmbedError, match=r"signatures embed, serving_default.*'no'"):
        export.answer(exported, ["a"], signature="no")
    with pytest.raises(MissingFileError, match="nothing does not exist"):
        export.answer(tmp_path / "nothing", ["a"])
    (copied / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(FileFormatError, match="TensorFlow cannot load this SavedModel") as caught:
        export.answer(copied, ["a"])
    assert caught.value.path == copied


def test_a_process_that_dies_is_told(exported, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BertEmbedError, match=r"ended with code 1. Received: no output"):
        export.answer(exported, ["a"])


def test_python_tensorflow_in_the_process_is_refused(exported, tmp_path):
    import json

    request = tmp_path / "request.json"
    request.write_text(json.dumps({"path": str(exported), "requests": {}, "inspected": False}))
    # Here TensorFlow is imported: conftest.py did so.
    with pytest.raises(RuntimeError, match="TensorFlow's Python was imported"):
        fresh_process.main(str(request), str(tmp_path / "response.json"))
    assert not (tmp_path / "response.json").exists()
