import json

import keras
import pytest
import tensorflow as tf
from tokenizers import BertWordPieceTokenizer

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

SPECIAL = list(text.SPECIAL_TOKENS)
PIECES = [*SPECIAL, "caf", "##e", "na", "##ive", "我", "住", "a", "b", "##b", "!", "，", "##c"]

SENTENCES = [
    "",
    " \t\n ",
    "Café NAÏVE cafe\u0301!",
    "我住a我，b，",
    "a\u200bb a\xadb a\x12b \ufeffa",
    "a\u3000b\xa0a\u2028b",
    "😀 a😀b ❤\ufe0f 👩\u200d🔬",
    "한국어 ελληνικά Привет नमस्ते",
    "a" + "b" * 99 + " a" + "b" * 100 + " b",
    "é" * 100 + " " + "é" * 101,
    "𝒳" * 100 + " " + "𝒳" * 101 + " a",
    "ＡＢＣ　１２３ ½ ™ ﬁ",
    "don't U.S. $5.00 a_b a-b <a>",
]


def reference(vocabulary, lowercase=True):
    return BertWordPieceTokenizer({p: i for i, p in enumerate(vocabulary)}, lowercase=lowercase)


def reference_ids(vocabulary, sentences, lowercase=True):
    encodings = reference(vocabulary, lowercase).encode_batch(sentences, add_special_tokens=False)
    return [encoding.ids for encoding in encodings]


@pytest.fixture(scope="module")
def small():
    return text.BertEmbedTokenizer(PIECES)


def words_of(tokenizer, sentence):
    """The words of a text as its offsets give them."""
    ids, starts, ends = tokenizer.tokenize_with_offsets(sentence)
    first = tokenizer.starts_word(ids).numpy()
    spans = []
    for begin, end, is_first in zip(starts.numpy(), ends.numpy(), first, strict=True):
        if is_first:
            spans.append([begin, end])
        spans[-1][1] = end
    return [sentence.encode()[begin:end].decode() for begin, end in spans]


@pytest.mark.parametrize("lowercase", [True, False])
def test_parity_on_sentences_of_every_kind(lowercase):
    tokenizer = text.BertEmbedTokenizer(PIECES, lowercase=lowercase)
    expected = reference_ids(PIECES, SENTENCES, lowercase)
    assert tokenizer.tokenize(SENTENCES).to_list() == expected


def test_parity_on_news(tokenizer, vocabulary, documents):
    sentences = [sentence for document in documents for sentence in document]
    assert tokenizer.tokenize(sentences).to_list() == reference_ids(vocabulary, sentences)


def test_special_tokens_in_a_text_are_text(small):
    # `tokenizers` would give [SEP] here; a text must not forge a boundary.
    assert small.tokenize(["a [SEP] b"]).to_list() == [[11, 1, 1, 1, 12]]


def test_long_words_count_characters_not_bytes(small):
    assert small.tokenize(["a" + "b" * 100]).to_list() == [[1]]
    assert len(small.tokenize("a" + "b" * 99)) == 100
    long = "é" * 101 + " a"
    ids, starts, ends = small.tokenize_with_offsets([long])
    assert ids.to_list() == [[1, 11]]
    assert (starts.to_list(), ends.to_list()) == ([[0, 203]], [[202, 204]])
    short = text.BertEmbedTokenizer(PIECES, max_chars_per_word=3)
    assert short.tokenize(["abb abbb caf"]).to_list() == [[11, 13, 13, 1, 5]]


def test_offsets_point_into_the_original(small):
    assert words_of(small, "Café NAÏVE, 我住! 😀") == ["Café", "NAÏVE", ",", "我", "住", "!", "😀"]
    assert words_of(small, "cafe\u0301 \ufeffa\u200bb") == ["cafe\u0301", "a\u200bb"]
    assert words_of(small, "한국어 x") == ["한국어", "x"]


def test_shapes(small):
    assert small.tokenize("a b").numpy().tolist() == [11, 12]
    assert small.tokenize(tf.constant([["a", "b a"], ["", "!"]])).to_list() == [
        [[11], [12, 11]],
        [[], [14]],
    ]
    ragged = tf.ragged.constant([["a"], [], ["b", "a b"]])
    assert small.tokenize(ragged).to_list() == [[[11]], [], [[12], [11, 12]]]
    assert small.tokenize(tf.constant([], tf.string)).to_list() == []
    assert small(["a b", ""]) == [[11, 12], []]


def test_in_a_dataset_and_a_function(small):
    dataset = tf.data.Dataset.from_tensor_slices(["a b", "", "我"]).batch(2).map(small)
    assert [batch.to_list() for batch in dataset] == [[[11, 12], []], [[9]]]
    function = tf.function(small.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
    assert function(["a b"]).to_list() == [[11, 12]]


def test_a_word_with_bytes_that_are_not_utf8_is_unknown(small):
    assert small.tokenize([b"a\xff\xfeb a"]).to_list() == [[1, 11]]


def test_vocabulary_access(small):
    assert small.get_vocabulary() == PIECES
    assert small.vocabulary_size() == len(PIECES)
    assert small.id_to_token(9) == "我"
    assert small.token_to_id("我") == 9
    assert (small.pad_token_id, small.unk_token_id, small.cls_token_id) == (0, 1, 2)
    assert (small.sep_token_id, small.mask_token_id) == (3, 4)
    with pytest.raises(BertEmbedError, match=r"range \[0, 16\]. Received: 17"):
        small.id_to_token(17)
    with pytest.raises(BertEmbedError, match="no piece 'zz'"):
        small.token_to_id("zz")


def test_detokenize(small):
    assert small.detokenize([[5, 6, 14], [9]]).numpy().tolist() == [
        b"cafe !",
        "我".encode(),
    ]


def test_special_tokens_may_stand_anywhere():
    tokenizer = text.BertEmbedTokenizer(["a", "[MASK]", "[UNK]", "[PAD]", "[SEP]", "[CLS]"])
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (3, 2)
    assert tokenizer.tokenize(["a z"]).to_list() == [[0, 2]]


def test_integer_type():
    tokenizer = text.BertEmbedTokenizer(PIECES, dtype="int64")
    assert tokenizer.tokenize(["a"]).dtype == tf.int64
    with pytest.raises(BertEmbedError, match="Received: 'string'"):
        text.BertEmbedTokenizer(PIECES, dtype="string")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": ["a", "[PAD]"]}, r'Cannot find the special token "\[UNK\]"'),
        ({"vocabulary": [*SPECIAL, "a", "a"]}, "'a' occurs 2 times"),
        ({"vocabulary": PIECES, "max_chars_per_word": 0}, "at least 1. Received: 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.BertEmbedTokenizer(**arguments)


def test_without_a_vocabulary():
    with pytest.raises(BertEmbedError, match="No vocabulary has been set"):
        text.BertEmbedTokenizer().tokenize(["a"])


def test_numbers_are_no_texts(small):
    with pytest.raises(BertEmbedError, match="a tensor of int32"):
        small.tokenize([1, 2])


def test_config_and_assets_round_trip(small, tmp_path):
    tokenizer = text.BertEmbedTokenizer(PIECES, lowercase=False, max_chars_per_word=7)
    again = keras.layers.deserialize(keras.layers.serialize(tokenizer))
    assert (again.lowercase, again.max_chars_per_word) == (False, 7)
    tokenizer.save_assets(tmp_path)
    again.load_assets(tmp_path)
    assert again.get_vocabulary() == PIECES
    assert again(["A b"]) == tokenizer(["A b"])


def test_a_keras_archive_reads_no_outside_vocabulary(tmp_path, small):
    path = tmp_path / "vocab.txt"
    text.save_vocabulary(PIECES, path)
    config = keras.layers.serialize(small)
    config["config"]["vocabulary"] = str(path)
    with pytest.raises(BertEmbedError, match=r"must not name a vocabulary file.*vocab\.txt"):
        keras.layers.deserialize(config)


def folder(path, config=None, vocabulary=PIECES):
    if vocabulary:
        text.save_vocabulary(vocabulary, path / "vocab.txt")
    if config is not None:
        (path / "tokenizer_config.json").write_text(config)
    return path


@pytest.mark.parametrize(
    ("config", "lowercase"),
    [(None, True), ({}, True), ({"do_lower_case": False}, False), ({"strip_accents": None}, True)],
)
def test_from_folder(tmp_path, config, lowercase):
    config = config if config is None else json.dumps(config)
    assert text.BertEmbedTokenizer.from_folder(folder(tmp_path, config)).lowercase is lowercase


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"strip_accents": "no"}', "`strip_accents` must be true or false. Received: 'no'"),
        ('{"tokenize_chinese_chars": null}', "`tokenize_chinese_chars` must be .* Received: None"),
        ("{\n  nonsense", "line 2: JSON was expected"),
        ("[]", "A JSON object was expected"),
        ('{"do_lower_case": "false"}', "`do_lower_case` must be true or false. Received: 'false'"),
    ],
)
def test_from_a_folder_with_a_bad_configuration(tmp_path, config, message):
    with pytest.raises(FileFormatError, match=message):
        text.BertEmbedTokenizer.from_folder(folder(tmp_path, config))


def test_from_a_folder_without_its_vocabulary(tmp_path):
    with pytest.raises(MissingFileError, match=r"vocab\.txt does not exist"):
        text.BertEmbedTokenizer.from_folder(folder(tmp_path, "{}", vocabulary=None))


def test_long_words_in_long_lines_are_told_apart():
    # Taken out of their line one by one, these words would need gigabytes.
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "hello", "x", "##x"])
    lines = ["hello " * 40_000, "x" * 120_000 + " hello" * 20_000, "é" + "ä" * 99]
    ids = tokenizer.tokenize(tf.constant([*lines, "x" * 100 + " " + "x" * 101]))
    assert ids.row_lengths().numpy().tolist() == [40_000, 20_001, 1, 101]
    assert ids[1][:3].numpy().tolist() == [1, 5, 5]
    assert ids[3][-2:].numpy().tolist() == [7, 1]
