import json

import numpy as np
import pytest
import safetensors.numpy
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture
def path(tmp_path):
    vectors.save(vectors.load(datapath("test_glove.txt")), tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def fails(path, message):
    with pytest.raises(common.FileFormatError, match=message):
        vectors.load(path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_a_file_cut_short(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    fails(path, r"safetensors: The safetensors data is broken or cut off: ")


def test_a_damaged_header(path):
    content = path.read_bytes()
    path.write_bytes(content[:20] + b"\xff\xff" + content[22:])
    fails(path, "The safetensors data is broken or cut off")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": None}, "A tensor 'vectors' was expected. Received: 'words'."),
        ({"words": None}, "It holds no words. A tensor 'words'"),
        ({"words": b"a\nb"}, "It holds 76 vectors, its tensor 'words' has 2 words."),
        ({"words": b"caf\xe9"}, "The words are not UTF-8 from byte 3 on."),
        ({"vectors": np.zeros(76, np.float32)}, r"A row for each word.*Received: shape \(76,\)"),
        ({"vectors": np.zeros((76, 0), np.float32)}, "The vectors have width 0"),
        ({"vectors": np.full((76, 2), np.nan, np.float32)}, "The vector of row 1, 'the', is not f"),
    ],
)
def test_tensors_that_are_wrong(path, changes, message):
    tensors = safetensors.numpy.load_file(path)
    for name, value in changes.items():
        del tensors[name]
        if isinstance(value, bytes):
            value = np.frombuffer(value, np.uint8)
        if value is not None:
            tensors[name] = value
    safetensors.numpy.save_file(tensors, path)
    fails(path, message)


def test_half_precision(path):
    tensors = safetensors.numpy.load_file(path)
    tensors["vectors"] = tensors["vectors"].astype(np.float16)
    safetensors.numpy.save_file(tensors, path)
    found = vectors.load(path)
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, tensors["vectors"].astype(np.float32))


def test_the_folder_of_model2vec(tmp_path):
    # As StaticModel.save_pretrained of model2vec 0.10.0 lays it out, by the real tokenizers.
    from tokenizers import Tokenizer, models

    words = ["[PAD]", "[UNK]", "the", "我"]
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    safetensors.numpy.save_file({"embeddings": matrix}, tmp_path / "model.safetensors")
    vocabulary = {word: row for row, word in reversed(list(enumerate(words)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for place in (tmp_path, tmp_path / "model.safetensors"):
        found = vectors.load(place)
        assert found.index_to_key == words
        np.testing.assert_array_equal(found.vectors, matrix)
    strange = ({}, {"model": {}}, {"model": []}, {"model": {"vocab": [1]}})
    for content in (*strange, {"model": {"vocab": {"a": "x", "b": 1}}}):
        (tmp_path / "tokenizer.json").write_text(json.dumps(content))
        fails(tmp_path, "tokenizer.json: A vocabulary under `model` was expected")


@pytest.mark.filterwarnings("error")
def test_numbers_too_large_for_float32(path):
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file({**tensors, "vectors": np.full((76, 2), 1e300)}, path)
    fails(path, "The vector of row 1, 'the', is not finite. Received: inf in column 1")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ngrams", np.zeros(100), r"'ngrams' of shape \(any, 5\) was exp.*Received: \(100,\)"),
        ("ngrams", np.zeros((100, 4)), r"'ngrams' of shape \(any, 5\) was expected"),
        ("word_parts", np.zeros((3, 5)), r"'word_parts' of shape \(291, 5\) was expected"),
        ("counts", np.zeros(3, int), r"'counts' of shape \(291\) was exp.*Received: \(3,\)"),
        ("shortest", None, "N-grams from -3 to 6 characters cannot be"),
    ],
)
def test_ngrams_and_counts_that_are_wrong(tmp_path, name, value, message):
    path = tmp_path / "a.safetensors"
    vectors.save(vectors.load(datapath("crime-and-punishment.bin")), path)
    tensors = safetensors.numpy.load_file(path)
    about = {"shortest_ngram": "3", "longest_ngram": "6"}
    if value is None:
        about["shortest_ngram"] = "-3"
    else:
        tensors[name] = value
    safetensors.numpy.save_file(tensors, path, about)
    fails(path, message)
