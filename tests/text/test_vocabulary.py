import gzip
from pathlib import Path

import pytest
from gensim.test.utils import datapath

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError, OutputExistsError

SPECIAL = list(text.SPECIAL_TOKENS)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_learned_vocabulary_begins_with_the_special_tokens(vocabulary):
    assert vocabulary[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(vocabulary) == len(set(vocabulary)) == 2000
    assert {"the", "government", "##ing"} <= set(vocabulary)


def test_learning_twice_gives_the_same(vocabulary, documents):
    assert text.train_vocabulary([s for d in documents for s in d], 2000) == vocabulary


def test_files_and_strings_may_be_mixed():
    path = Path(datapath("lee_background.cor"))
    vocabulary = text.train_vocabulary([path, "我住 我住"], 3000)
    assert {"我", "住", "the"} <= set(vocabulary)


def test_case_is_kept_on_request(documents):
    vocabulary = text.train_vocabulary([s for d in documents for s in d], 2000, lowercase=False)
    assert "The" in vocabulary


def test_alphabet_size_is_kept():
    vocabulary = text.train_vocabulary(["a a a b b c"], 100, alphabet_size=2)
    assert "c" not in vocabulary
    assert {"a", "b"} <= set(vocabulary)


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        ([], 100, "holds no text"),
        (["  "], 100, "holds no text"),
        (["a"], 5, "more than the 5 special tokens. Received: 5"),
        ("a text", 100, "a list of strings or of `pathlib.Path`s, not one of them"),
        ([1], 100, "must hold strings or `pathlib.Path`s. Received: 1"),
    ],
)
def test_bad_training_input(texts, size, message):
    with pytest.raises(BertEmbedError, match=message):
        text.train_vocabulary(texts, size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alphabet_size": 0}, "`alphabet_size` must be an int of at least 1. Received: 0"),
        ({"min_frequency": -1}, "`min_frequency` must be an int of at least 0. Received: -1"),
        ({"min_frequency": 1.5}, "`min_frequency` must be .* Received: 1.5"),
        ({"vocabulary_size": "100"}, "`vocabulary_size` must be .* Received: '100'"),
        ({"vocabulary_size": True}, "`vocabulary_size` must be .* Received: True"),
    ],
)
def test_numbers_out_of_range(arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.train_vocabulary(["a b"], **{"vocabulary_size": 100, **arguments})


def test_training_on_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError):
        text.train_vocabulary([tmp_path / "none.txt"], 100)


def test_round_trip(tmp_path, vocabulary):
    path = tmp_path / "vocab.txt"
    text.save_vocabulary(vocabulary, path)
    assert text.load_vocabulary(path) == vocabulary
    with pytest.raises(OutputExistsError):
        text.save_vocabulary(vocabulary, path)
    text.save_vocabulary([*SPECIAL, "a"], path, overwrite=True)
    packed = tmp_path / "vocab.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert text.load_vocabulary(packed) == [*SPECIAL, "a"]


def test_a_line_separator_may_be_a_piece(tmp_path):
    # google_zh of the published vocabularies has one.
    path = write(tmp_path / "vocab.txt", "\n".join([*SPECIAL, "\u2028", "a", ""]))
    assert text.load_vocabulary(path)[5:] == ["\u2028", "a"]
    assert text.BertEmbedTokenizer(path).tokenize(["a\u2028a"]).to_list() == [[6, 6]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty"),
        (b"a\x00b\n", "line 1: .* binary"),
        (b"[PAD]\n" + b"caf\xe9\n", "line 2: UTF-8 text was expected"),
        ("\n".join([*SPECIAL, "a", "b", "a"]), "line 8: The piece 'a' occurs 2 times"),
        ("\n".join([*SPECIAL, "", "a"]), "line 6: A piece is blank"),
        ("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", r'Cannot find the special token "\[MASK\]"'),
        ("\n".join(SPECIAL), "special tokens only"),
    ],
)
def test_bad_files(tmp_path, content, message):
    path = write(tmp_path / "vocab.txt", content)
    with pytest.raises(FileFormatError, match=message) as error:
        text.load_vocabulary(path)
    assert str(path) in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(MissingFileError, match="one piece a line"):
        text.load_vocabulary(tmp_path / "none.txt")
    with pytest.raises(FileFormatError, match="this is a folder"):
        text.load_vocabulary(tmp_path)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "No piece was found"),
        ([*SPECIAL, 7], "Pieces must be strings. Received: 7. .at index 5"),
        ([*SPECIAL, "a\nb"], "must not hold a line end"),
        ([*SPECIAL, "##" + "é" * 129], "at most 256 bytes of UTF-8. Received: 260, .* index 5"),
    ],
)
def test_bad_lists(vocabulary, message, tmp_path):
    with pytest.raises(BertEmbedError, match=message):
        text.save_vocabulary(vocabulary, tmp_path / "vocab.txt")
    assert not list(tmp_path.iterdir())


def test_words_longer_than_a_piece_may_be():
    texts = ["b" * 10_000, "a film"]
    vocabulary = text.train_vocabulary(texts, 60)
    assert max(map(len, vocabulary)) <= 2 + 256
    tokenizer = text.BertEmbedTokenizer(vocabulary)
    assert tokenizer.tokenize(["a " + texts[0]])[0, -1].numpy() == tokenizer.token_to_id("[UNK]")
