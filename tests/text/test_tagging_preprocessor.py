import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.piece_windows import PieceWindows

WORDS = [
    ["The", "U.S.", "don't", "café", "x1y2", "naïve!"],
    [],
    ["我", "北京", "👍🏽"],
    ["\u200b", "Prime", "", "minister"],
]


@pytest.fixture(scope="module")
def preprocessor(tokenizer):
    return text.TaggingPreprocessor(tokenizer, 32)


def test_pieces_are_those_of_the_words_one_by_one(preprocessor, tokenizer):
    features = preprocessor(WORDS)
    for row, words in enumerate(WORDS):
        pieces = [tokenizer.tokenize(word).numpy().tolist() or [1] for word in words]
        flat = [2, *(piece for word in pieces for piece in word), 3]
        ids = features["token_ids"].numpy()[row]
        assert ids[features["padding_mask"].numpy()[row]].tolist() == flat
        begins = np.cumsum([1, *map(len, pieces)])[: len(words)].tolist()
        places = features["word_places"].numpy()[row]
        assert places[places >= 0].tolist() == begins
    assert features["window_counts"].numpy().tolist() == [1] * 4
    assert all(features[name].dtype == tf.int32 for name in ("token_ids", "word_places"))


def test_a_text_gives_what_its_words_give(preprocessor):
    words = [["The", "prime", "minister,"], ["don't"], []]
    of_words, of_texts = preprocessor(words), preprocessor([" ".join(row) for row in words])
    for name, values in of_words.items():
        np.testing.assert_array_equal(values, of_texts[name], err_msg=name)


@pytest.mark.slow
def test_eagerly_in_a_graph_and_when_repeated(preprocessor):
    texts = ["The prime minister, café", "我 👍🏽", ""]
    first = preprocessor(texts)
    graph = tf.function(preprocessor)(tf.constant(texts))
    repeated = [preprocessor(texts) for _ in range(3)][-1]
    for name, values in first.items():
        np.testing.assert_array_equal(values, graph[name])
        np.testing.assert_array_equal(values, repeated[name])


def test_every_piece_of_a_word_carries_the_row_of_the_whole_word(tokenizer):
    table = ["don't", "u.s.", "s", "café", "北京", "prime"]
    made = text.TaggingPreprocessor(tokenizer, 32, static_words=table)
    features = made([["U.S.", "it's", "Café", "Prime", "北京", "\u200b", "don't"]])
    places = features["word_places"].numpy()[0].tolist()
    rows = features["static_ids"].numpy()[0]
    ends = [*places[1:], int(features["padding_mask"].numpy().sum()) - 1]
    found = [rows[begin:end].tolist() for begin, end in zip(places, ends, strict=True)]
    assert [sorted(set(row)) for row in found] == [[2], [0, 3], [4], [6], [5], [0], [1]]
    # A text that `Preprocessor` cuts into the same words has the same rows.
    plain = text.Preprocessor(tokenizer, 32, static_words=table)
    sentence = "Prime it's Café minister"
    np.testing.assert_array_equal(made([sentence])["static_ids"], plain([sentence])["static_ids"])


@pytest.mark.parametrize(("room", "overlap"), [(1, 0), (5, 0), (8, 3), (8, 7), (30, 8)])
def test_windows_show_every_piece_with_what_stands_around_it(room, overlap):
    lengths = [0, 1, 7, 8, 9, 30, 31, 100]
    splits = np.cumsum([0, *lengths])
    windows = PieceWindows(splits, room, overlap)
    spans = np.split(windows.pieces.numpy(), windows.row_splits.numpy()[1:-1])
    first = np.cumsum([0, *windows.counts.numpy()])
    for number, length in enumerate(lengths):
        own = spans[first[number] : first[number + 1]]
        assert {*np.concatenate(own)} == {*range(splits[number], splits[number + 1])}
        assert all(np.all(np.diff(span) == 1) for span in own)
        assert len(own) == 1 or all(len(span) == room for span in own)
        pieces = tf.range(length)
        window, column = (x.numpy() for x in windows.find(pieces, tf.fill([length], number)))
        for piece in range(length):
            assert own[window[piece]][column[piece]] - splits[number] == piece

            span = own[window[piece]]
            before, after = column[piece], len(span) - 1 - column[piece]
            assert before >= min(piece, overlap // 2)
            assert after >= min(length - 1 - piece, (overlap - 1) // 2)


def test_a_long_text_loses_no_word(tokenizer):
    words = [f"word{i}" for i in range(60)]
    long, short = (text.TaggingPreprocessor(tokenizer, size) for size in (400, 21))
    whole, cut = long([words, ["a"]]), short([words, ["a"]])
    assert whole["window_counts"].numpy().tolist() == [1, 1]
    counts = cut["window_counts"].numpy()
    assert counts[0] > 5
    assert counts[1] == 1
    assert cut["token_ids"].shape[0] == counts.sum()
    assert cut["token_ids"].shape[1] == 21
    rows = cut["token_ids"].numpy()[: counts[0]].ravel()
    np.testing.assert_array_equal(
        rows[cut["word_places"].numpy()[0]],
        whole["token_ids"].numpy()[0][whole["word_places"].numpy()[0]],
    )
    fixed = text.TaggingPreprocessor(tokenizer, 21, padding="max_length")
    np.testing.assert_array_equal(fixed([words])["word_places"], cut["word_places"][:1])
    assert fixed([["a"]])["token_ids"].shape == (1, 21)


def test_labels_and_weights_stand_beside_the_words(preprocessor):
    _, y, weights = preprocessor([["a", "b"], ["c"]], y=[[4, 5], [6]], sample_weight=[0.5, 2.0])
    assert y.numpy().tolist() == [[4, 5], [6, -1]]
    assert weights.numpy().tolist() == [[0.5, 0.5], [2.0, 2.0]]
    _, _, weights = preprocessor(
        [["a", "b"], ["c"]], y=[[4, 5], [6]], sample_weight=[[1.0, 2.0], [3.0]]
    )
    assert weights.numpy().tolist() == [[1.0, 2.0], [3.0, 0.0]]


@pytest.mark.parametrize("x", [[], [[]], [""], [[], []]])
def test_nothing_makes_features_too(preprocessor, x):
    features = preprocessor(x)
    assert features["token_ids"].shape == (len(x), 2)
    assert features["word_places"].numpy().tolist() == [[-1]] * len(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((["a"], ["b"]), r"list of lists of words\. Received"),
        (tf.constant([[1]]), "tensor of int32, shape"),
        ([["a", 3]], "Words must be strings. Received: 3 in text 0"),
    ],
)
def test_what_are_no_words(preprocessor, x, message):
    with pytest.raises(BertEmbedError, match=message):
        preprocessor(x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "sentences"}, "`split` must be one of whitespace, .*Received: 'sentences'"),
        ({"overlap": 30}, "less than the 30 pieces .* Received: 30"),
        ({"overlap": -1}, "Received: -1"),
        ({"overlap": True}, "Received: True"),
    ],
)
def test_bad_settings(tokenizer, arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.TaggingPreprocessor(tokenizer, 32, **arguments)


def test_settings_are_kept(tokenizer, tmp_path):
    made = text.TaggingPreprocessor(
        tokenizer, 16, static_words=["the", "我"], split="characters", overlap=2
    )
    made.save_to_preset(tmp_path)
    copies = [cls.from_preset(tmp_path) for cls in (text.TaggingPreprocessor, text.Preprocessor)]
    copies.append(keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made)))
    for again in copies:
        assert type(again) is text.TaggingPreprocessor
        assert (again.split, again.overlap, again.sequence_length) == ("characters", 2, 16)
    for name, values in made(["The 我们"]).items():
        np.testing.assert_array_equal(copies[0](["The 我们"])[name], values)
