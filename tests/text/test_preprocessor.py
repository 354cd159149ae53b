import json

import keras
import keras_nlp
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

PIECES = [*text.SPECIAL_TOKENS, "caf", "##e", "na", "##ive", "我", "住", "a", "b", "##b", "!"]
WORDS = ["café", "naïve", "我", "😀", "NAÏVE", "b", "!"]
NAMES = ["padding_mask", "segment_ids", "static_ids", "token_ids"]


@pytest.fixture(scope="module")
def tokenizer():
    return text.BertEmbedTokenizer(PIECES)


@pytest.fixture(scope="module")
def preprocessor(tokenizer):
    return text.Preprocessor(tokenizer, 8, static_words=WORDS)


def rows(features, name):
    return features[name].numpy().tolist()


def test_features_and_types(preprocessor):
    features = preprocessor(["Café!", ""])
    assert sorted(features) == NAMES
    assert rows(features, "token_ids") == [[2, 5, 6, 14, 3], [2, 3, 0, 0, 0]]
    assert rows(features, "segment_ids") == [[0] * 5] * 2
    assert rows(features, "padding_mask") == [[True] * 5, [True, True, False, False, False]]
    assert features["padding_mask"].dtype == tf.bool
    assert {features[name].dtype for name in NAMES if name != "padding_mask"} == {tf.int32}


def test_every_piece_of_a_word_carries_its_row(preprocessor):
    assert rows(preprocessor(["Café caf"]), "static_ids") == [[0, 1, 1, 0, 0]]
    assert rows(preprocessor(["我住"]), "static_ids") == [[0, 3, 0, 0]]
    assert rows(preprocessor(["naïve!"]), "static_ids") == [[0, 2, 2, 7, 0]]


def test_a_word_that_is_unknown_to_the_vocabulary_has_its_vector(preprocessor):
    features = preprocessor(["a 😀 b"])
    assert rows(features, "token_ids") == [[2, 11, 1, 12, 3]]
    assert rows(features, "static_ids") == [[0, 0, 4, 6, 0]]


def test_a_word_is_looked_up_as_written_then_lower_cased(preprocessor):
    assert rows(preprocessor(["NAÏVE"]), "static_ids") == [[0, 5, 5, 0]]
    assert rows(preprocessor(["Naïve"]), "static_ids") == [[0, 2, 2, 0]]
    assert rows(preprocessor(["B"]), "static_ids") == [[0, 6, 0]]


@pytest.mark.parametrize(
    ("word", "row"),
    [
        ("cafe\u0301", 1),
        ("Cafe\u0301", 1),
        ("NAI\u0308VE", 5),
        ("Nai\u0308ve", 2),
        ("ca\u200bfé", 1),
        ("Ca\xadfe\u0301", 1),
        ("cafe", 0),
        ("e\u0301", 0),
    ],
)
def test_a_word_is_found_in_its_other_spellings(preprocessor, word, row):
    found = preprocessor([word])["static_ids"][0, 1:-1]
    assert set(found.numpy().tolist()) == {row}


def test_a_decomposed_word_of_the_table_is_found_as_written(tokenizer):
    preprocessor = text.Preprocessor(tokenizer, 8, static_words=["cafe\u0301", "café"])
    found = preprocessor(["cafe\u0301 café"])["static_ids"][0].numpy().tolist()
    assert found == [0, 1, 1, 2, 2, 0]


def test_lookup_agrees_with_a_lookup_in_python(tokenizer, documents, vocabulary):
    sentences = [sentence for document in documents[:5] for sentence in document]
    words = sorted({w for s in sentences[::2] for w in s.lower().split() if w.isalpha()})
    news = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 512, static_words=words)
    table = {word: row for row, word in enumerate(words, start=1)}
    static = news(sentences)["static_ids"].numpy()
    for sentence, row in zip(sentences, static, strict=True):
        ids, starts, ends = (v.numpy() for v in news.tokenizer.tokenize_with_offsets(sentence))
        first = news.tokenizer.starts_word(ids).numpy()
        begins = np.flatnonzero(first)
        expected = []
        for begin, end in zip(begins, [*begins[1:], len(ids)], strict=True):
            word = sentence.encode()[starts[begin] : ends[end - 1]].decode()
            expected += [table.get(word, table.get(word.lower(), 0))] * (end - begin)
        assert row[1 : len(ids) + 1].tolist() == expected[:510]


def test_without_words_there_are_no_static_ids(tokenizer):
    preprocessor = text.Preprocessor(tokenizer)
    assert "static_ids" not in preprocessor(["a"])
    assert preprocessor.static_words is None


def test_truncation(preprocessor):
    assert rows(preprocessor(["a b " * 9]), "token_ids") == [[2, 11, 12, 11, 12, 11, 12, 3]]
    features = preprocessor((["a a a a a a", "a"], ["b b b b", "b b b b b b b"]))
    assert rows(features, "token_ids") == [
        [2, 11, 11, 11, 3, 12, 12, 3],
        [2, 11, 3, 12, 12, 12, 12, 3],
    ]
    assert rows(features, "segment_ids")[0] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert rows(features, "static_ids")[0] == [0, 0, 0, 0, 0, 6, 6, 0]


def test_a_word_cut_in_two_keeps_its_row(tokenizer):
    preprocessor = text.Preprocessor(tokenizer, 4, static_words=["bbb"])
    assert rows(preprocessor(["bbb"]), "static_ids") == [[0, 1, 1, 0]]


def test_padding_to_the_full_length(tokenizer):
    preprocessor = text.Preprocessor(tokenizer, 8, padding="max_length")
    assert preprocessor(["a", "a b"])["token_ids"].shape == (2, 8)
    function = tf.function(preprocessor, input_signature=[tf.TensorSpec([None], tf.string)])
    assert function.get_concrete_function().structured_outputs["token_ids"].shape[1] == 8


def test_padding_is_the_pad_token():
    tokenizer = text.BertEmbedTokenizer(["a", "[MASK]", "[UNK]", "[SEP]", "[CLS]", "[PAD]"])
    features = text.Preprocessor(tokenizer, static_words=["a"])(["a", "a a"])
    assert rows(features, "token_ids") == [[4, 0, 3, 5], [4, 0, 0, 3]]
    assert rows(features, "static_ids") == [[0, 1, 0, 0], [0, 1, 1, 0]]


def test_labels_and_weights_pass_through(preprocessor):
    features, y, weight = preprocessor(["a"], y=[1], sample_weight=[0.5])
    assert (y, weight) == ([1], [0.5])
    assert sorted(features) == NAMES
    features, y = preprocessor((["a"], [1]))
    assert y == [1]


def test_kinds_of_input(preprocessor):
    expected = rows(preprocessor(["a", "b"]), "token_ids")
    for given in (("a", "b"), np.array(["a", "b"]), tf.constant(["a", "b"])):
        given = list(given) if isinstance(given, tuple) else given
        assert rows(preprocessor(given), "token_ids") == expected
    assert rows(preprocessor(np.array(["a", "b"], dtype=object)), "token_ids") == expected
    pair = rows(preprocessor((["a"], ["b"])), "token_ids")
    assert rows(preprocessor([["a"], ["b"]]), "token_ids") == pair == [[2, 11, 3, 12, 3]]
    assert rows(preprocessor((np.array(["a"]), np.array(["b"]))), "token_ids") == pair
    assert rows(preprocessor("a"), "token_ids") == [2, 11, 3]
    assert rows(preprocessor(("a", "b")), "token_ids") == [2, 11, 3, 12, 3]


def test_in_a_dataset(preprocessor):
    dataset = tf.data.Dataset.from_tensor_slices((["Café", "a b !"], [0, 1])).batch(2)
    (features, labels), *_ = dataset.map(preprocessor)
    assert rows(features, "static_ids") == [[0, 1, 1, 0, 0], [0, 0, 6, 7, 0]]
    assert labels.numpy().tolist() == [0, 1]
    pairs = tf.data.Dataset.from_tensor_slices(((["a"], ["b"]), [0])).batch(1).map(preprocessor)
    assert rows(next(iter(pairs))[0], "token_ids") == [[2, 11, 3, 12, 3]]


def test_one_trace_serves_every_batch(preprocessor):
    function = tf.function(preprocessor, input_signature=[tf.TensorSpec([None], tf.string)])
    for sentences in (["a"], ["Café 😀", "我", "b " * 50], []):
        eager, traced = preprocessor(tf.constant(sentences, tf.string)), function(sentences)
        for name in NAMES:
            np.testing.assert_array_equal(eager[name], traced[name])
    assert function.experimental_get_tracing_count() == 1


def test_in_a_saved_model(preprocessor, tmp_path):
    module = tf.Module()
    module.preprocessor = preprocessor
    module.serve = tf.function(preprocessor, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, tmp_path / "model")
    loaded = tf.saved_model.load(tmp_path / "model")
    sentences = ["Café 我住", "😀 " + "é" * 101]
    for name, value in loaded.serve(tf.constant(sentences)).items():
        np.testing.assert_array_equal(value, preprocessor(sentences)[name])


def test_preset_round_trip(preprocessor, tmp_path):
    preprocessor.save_to_preset(tmp_path / "preset")
    config = json.loads((tmp_path / "preset" / "preprocessor.json").read_text())
    assert "café" not in json.dumps(config, ensure_ascii=False)
    again = text.Preprocessor.from_preset(tmp_path / "preset", padding="max_length")
    assert again.static_words == WORDS
    assert again.sequence_length == 8
    assert isinstance(again, keras_nlp.models.Preprocessor)
    for name, value in again(["Café 😀"]).items():
        assert value.shape == (1, 8)
        short = preprocessor(["Café 😀"])[name]
        np.testing.assert_array_equal(value[:, : short.shape[1]], short)
    tokenizer = text.BertEmbedTokenizer.from_preset(tmp_path / "preset")
    assert tokenizer.get_vocabulary() == PIECES


def test_bad_presets(preprocessor, tmp_path):
    with pytest.raises(MissingFileError, match=r"preprocessor\.json does not exist"):
        text.Preprocessor.from_preset(tmp_path)
    preprocessor.save_to_preset(tmp_path)
    with pytest.raises(FileFormatError, match=r"Preprocessor was expected. Received: .*Tokenizer"):
        text.Preprocessor.from_preset(tmp_path, config_file="tokenizer.json")
    for content, message in (
        ("[1]", "A JSON object was expected. Received: a list"),
        ("{}", "A serialised Keras layer was expected"),
        ('{"registered_name": "a", "config": 1}', "A serialised Keras layer was expected"),
        ('{\n"registered_name":', "line 2: JSON was expected"),
    ):
        (tmp_path / "preprocessor.json").write_text(content)
        with pytest.raises(FileFormatError, match=message):
            text.Preprocessor.from_preset(tmp_path)


def test_keras_archive_round_trip(preprocessor, tmp_path):
    class Holder(keras.Model):
        def __init__(self, preprocessor, **kwargs):
            super().__init__(**kwargs)
            self.preprocessor = preprocessor

        def call(self, inputs):
            return inputs

        def get_config(self):
            return {"preprocessor": keras.layers.serialize(self.preprocessor)}

        @classmethod
        def from_config(cls, config):
            return cls(keras.layers.deserialize(config["preprocessor"]))

    Holder(preprocessor).save(tmp_path / "holder.keras")
    again = keras.saving.load_model(tmp_path / "holder.keras", {"Holder": Holder}).preprocessor
    assert again.static_words == WORDS
    assert again.tokenizer.get_vocabulary() == PIECES


def test_words_with_odd_characters_survive(tokenizer, tmp_path):
    words = ["a\rb", "c\x85", "d\u2028", " . . ."]
    text.Preprocessor(tokenizer, static_words=words).save_assets(tmp_path)
    again = text.Preprocessor(tokenizer)
    again.load_assets(tmp_path)
    assert again.static_words == words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 2}, "at least 3, .* Received: 2"),
        ({"sequence_length": "128"}, "Received: '128'"),
        ({"padding": "left"}, "Received: 'left'"),
        ({"static_words": ["a", "b", "a"]}, "'a' more than once"),
        ({"static_words": ["a", ""]}, "Received: '' at index 1"),
        ({"static_words": ["a", 3]}, "Received: 3 at index 1"),
        ({"static_words": []}, "`static_words` is empty"),
    ],
)
def test_bad_arguments(tokenizer, arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.Preprocessor(tokenizer, **arguments)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1, 2], "must be strings. Received: a tensor of int32"),
        ((["a"], ["b"], ["c"]), "one text or a tuple of two. Received: 3"),
        (np.array([["a", "b"]]), "strings of shape .B."),
        (("a", ["b"]), "strings of shape .B."),
    ],
)
def test_bad_input(preprocessor, x, message):
    with pytest.raises(BertEmbedError, match=message):
        preprocessor(x, y=None)


def test_pairs_of_different_number(preprocessor):
    with pytest.raises(BertEmbedError, match=r"as many .* Received: 1 and 2"):
        preprocessor((["a"], ["b", "c"]))
    signature = [tf.TensorSpec([None], tf.string)] * 2
    function = tf.function(lambda a, b: preprocessor((a, b)), input_signature=signature)
    assert function(["a"], ["b"])["token_ids"].shape == (1, 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many"):
        function(["a"], ["b", "c"])


@pytest.mark.parametrize("pair", [False, True])
def test_no_texts_make_features_without_rows(pair):
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a"])
    none = tf.constant([], tf.string)
    features = text.Preprocessor(tokenizer, 8)((none, none) if pair else none)
    assert features["token_ids"].shape[0] == 0
    assert features["token_ids"].shape[1] >= 2


def test_a_list_of_pairs_is_told_how_to_be_columns(tokenizer):
    with pytest.raises(BertEmbedError, match="Pairs are two columns"):
        text.Preprocessor(tokenizer, 8)([("a", "b"), ("a", "a")])


def test_a_length_that_holds_no_pair_is_refused(tokenizer):
    with pytest.raises(BertEmbedError, match="at least 5"):
        text.Preprocessor(tokenizer, 4)((["a"], ["b"]))
