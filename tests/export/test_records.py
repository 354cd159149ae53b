"""Examples in, records out, bit by bit."""

import json

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export import records


def test_own_examples_cover_scripts_and_lengths():
    texts = records.to_columns(None, ("text",))["text"]
    assert "" in texts
    assert max(len(text.split()) for text in texts) > 512
    assert any("我" in text for text in texts)
    assert any("🙂" in text for text in texts)


def test_own_examples_as_pairs_pair_different_texts():
    columns = records.to_columns(None, ("text_a", "text_b"))
    assert sorted(columns["text_a"]) == sorted(columns["text_b"])
    assert all(a != b for a, b in zip(columns["text_a"], columns["text_b"], strict=True))


def test_examples_become_columns():
    assert records.to_columns(["a", "b"], ("text",)) == {"text": ["a", "b"]}
    pairs = [("a", "b"), ["c", "d"]]
    assert records.to_columns(pairs, ("text_a", "text_b")) == {
        "text_a": ["a", "c"],
        "text_b": ["b", "d"],
    }


@pytest.mark.parametrize(
    ("examples", "names", "message"),
    [
        ([], ("text",), "at least one example"),
        (["a", ("b", "c")], ("text",), r"must be a string \(text\).*example 2: \('b', 'c'\)"),
        (["a"], ("text_a", "text_b"), r"must be 2 strings \(text_a, text_b\).*example 1: 'a'"),
        ([("a", 1)], ("text_a", "text_b"), r"must be 2 strings.*\('a', 1\)"),
        ([3], ("text",), "must be a string.*example 1: 3"),
        ("one text", ("text",), "a list of texts. Received: 'one text'"),
    ],
)
def test_wrong_examples(examples, names, message):
    with pytest.raises(BertEmbedError, match=message):
        records.to_columns(examples, names)


@pytest.mark.parametrize(
    "array",
    [
        np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
        np.array([1 / 3, 1e-300, -0.0]),
        np.array([[1, 2**40]]),
        np.array([True, False]),
        np.array(["", "我 🙂", "a\x00b"]),
        np.zeros((0, 4), np.float16),
    ],
)
def test_arrays_come_back_bit_by_bit(array):
    back = records.decode(json.loads(json.dumps(records.encode(array))))
    assert back.dtype.kind == array.dtype.kind
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_bytes_come_back_as_bytes():
    columns = {"inputs": [b"\n\x04\xff", b""]}
    encoded = json.loads(json.dumps(records.encode_inputs(columns)))
    assert encoded == {"inputs": [{"b64": "CgT/"}, {"b64": ""}]}
    assert records.decode_inputs(encoded) == columns
    texts = {"text": ["a", "我"]}
    assert records.decode_inputs(records.encode_inputs(texts)) == texts


def test_a_record_of_before_is_read(copied):
    path = copied / records.RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "format": 1}), encoding="utf-8")
    inputs, outputs, _ = records.read_record(copied)
    assert inputs["embed"] == record["inputs"]
    assert set(outputs) == set(record["signatures"])


def test_missing_record(copied):
    (copied / records.RECORD).unlink()
    with pytest.raises(MissingFileError, match="Export the model again"):
        records.read_record(copied)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "damaged.*JSONDecodeError"),
        ("[]", "damaged"),
        ('{"format": 99}', "format 1 or 2 was expected. Received: 99"),
        ('{"format": 1, "inputs": {}}', "damaged.*signatures"),
        *(
            (f'{{"format": 1, "signatures": {{}}, "versions": {{}}, "inputs": {inputs}}}', wanted)
            for inputs, wanted in (
                ("{}", "damaged.*lists of strings"),
                ('{"text": []}', "damaged.*at least 1"),
                ('{"text": "good"}', "damaged.*lists of strings"),
                ('{"text": [1]}', "damaged.*lists of strings"),
                ('{"a": ["x"], "b": ["x", "y"]}', "damaged.*one length"),
                ("[]", "damaged.*AttributeError"),
                ('{"inputs": [{"b64": "?"}]}', "damaged.*Error"),
                ('{"inputs": [{"other": "YQ=="}]}', "damaged.*lists of strings"),
            )
        ),
        (b"\xff\xfe", "damaged.*UnicodeDecodeError"),
    ],
)
def test_damaged_record(copied, content, message):
    data = content if isinstance(content, bytes) else content.encode()
    (copied / records.RECORD).write_bytes(data)
    with pytest.raises(FileFormatError, match=message):
        records.read_record(copied)
