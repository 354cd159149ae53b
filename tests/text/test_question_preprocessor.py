import re
import sys
import unicodedata

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, FileFormatError

LENGTH, STRIDE, QUESTION = 40, 9, 12


@pytest.fixture(scope="module")
def folder():
    return models.find_checkpoint("all-minilm-l6-v2")


@pytest.fixture(scope="module")
def english(folder):
    """The published tokenizer's vocabulary, which has Chinese characters too."""
    return text.BertEmbedTokenizer.from_folder(folder)


@pytest.fixture(scope="module")
def contexts(documents):
    """Long and short texts, with characters of one to four bytes."""
    return [
        *(". ".join(document) for document in documents[:4]),
        "北京是中国的首都，人口超过两千万。" * 6,
        "🙂 one 👍🏽 two, naïve Cafe\u0301 — Zürich " * 5,
        "한국의 수도는 서울이다. " * 4,
        "short",
        "",
        "\ufeff\u200b a b \u200b ",
    ]


@pytest.fixture(scope="module")
def questions(contexts, documents):
    sentences = [sentence for document in documents[20:60] for sentence in document]
    short = [" ".join(sentence.split()[:5]) for sentence in sentences[: len(contexts) - 4]]
    return [*short, "首都在哪里？", "", "Who 🙂?", " ".join(sentences[:9])]


@pytest.fixture(scope="module")
def preprocessor(english):
    return text.QuestionPreprocessor(english, LENGTH, stride=STRIDE, max_question_pieces=QUESTION)


@pytest.fixture(scope="module")
def features(preprocessor, questions, contexts):
    return {name: value.numpy() for name, value in preprocessor((questions, contexts)).items()}


@pytest.fixture(scope="module")
def published(folder):
    """The fast tokenizer of the package transformers."""
    # Where TensorFlow is loaded, triton's own LLVM brings the process down.
    sys.modules.setdefault("triton", None)
    from transformers import BertTokenizerFast

    return BertTokenizerFast.from_pretrained(folder)


def windows_of(features, number):
    rows = features["window_text"] == number
    names = set(features) - {"contexts"}
    return {name: features[name][rows] for name in names}


def test_windows_agree_with_the_published_tokenizer(features, published, questions, contexts):
    several = 0
    for number, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        size = len(published(question, add_special_tokens=False)["input_ids"])
        # That package takes an empty context for none, and leaves its [SEP] out.
        if size > QUESTION or not context:
            continue
        made = published(
            question,
            context,
            max_length=LENGTH,
            truncation="only_second",
            stride=LENGTH - 3 - size - STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        ours = windows_of(features, number)
        assert len(ours["token_ids"]) == len(made["input_ids"])
        several += len(made["input_ids"]) > 1
        for row, expected in enumerate(made["input_ids"]):
            size = len(expected)
            assert ours["token_ids"][row, :size].tolist() == expected
            assert ours["padding_mask"][row].tolist() == [column < size for column in range(LENGTH)]
            assert ours["segment_ids"][row, :size].tolist() == made["token_type_ids"][row]
            places = zip(made["offset_mapping"][row], made.sequence_ids(row), strict=True)
            for column, ((start, end), side) in enumerate(places):
                span = ours["piece_starts"][row, column], ours["piece_ends"][row, column]
                if side != 1:
                    assert span == (-1, -1)
                    continue
                assert span[0] == start
                # What the tokenizer drops behind a piece counts as a part of it here.
                dropped = context[end : span[1]]
                assert {unicodedata.category(c) for c in dropped} <= {"Mn", "Cf"}
    assert several >= 5


def test_every_piece_of_a_context_stands_in_a_window(features, english, contexts):
    _, starts, _ = english.tokenize_with_offsets(contexts)
    for number, context in enumerate(contexts):
        seen = windows_of(features, number)["piece_starts"]
        codes = {len(context.encode()[:start].decode()) for start in starts[number].numpy()}
        assert set(seen[seen >= 0].tolist()) == codes


def test_a_piece_stands_in_no_more_windows_than_told(features, preprocessor, contexts):
    for number, context in enumerate(contexts):
        if context.startswith("한"):
            # Pieces of one syllable share its place.
            continue
        seen = windows_of(features, number)["piece_starts"]
        _, counts = np.unique(seen[seen >= 0], return_counts=True)
        assert counts.max(initial=0) <= preprocessor.copies


def test_long_questions_are_cut(features, english, questions, contexts):
    ids = english.tokenize(questions[-1]).numpy()
    ours = windows_of(features, len(questions) - 1)["token_ids"][0]
    assert len(ids) > QUESTION
    assert ours[: QUESTION + 2].tolist() == [
        english.cls_token_id,
        *ids[:QUESTION],
        english.sep_token_id,
    ]
    tiny = text.QuestionPreprocessor(english, 9)((questions, contexts))
    # Half of what is left of nine pieces is three.
    assert tiny["segment_ids"].numpy()[-1].tolist()[:6] == [0, 0, 0, 0, 0, 1]


def test_answers_become_pieces(preprocessor, features, questions, contexts):
    middle = [list(re.finditer(r"\b[A-Za-z]+\b", context))[30] for context in contexts[:4]]
    named = zip(contexts[4:], ["首都", "👍🏽", "수도는", "short", "", "b"], strict=True)
    wanted = [match.span() for match in middle]
    wanted += [(c.find(word), c.find(word) + len(word)) for c, word in named]
    wanted[8] = (-1, -1)
    _, y = preprocessor((questions, contexts), y=wanted)
    assert list(y) == ["start_logits", "end_logits"]
    starts, ends = y["start_logits"].numpy(), y["end_logits"].numpy()
    found = np.zeros(len(contexts), int)
    for row, number in enumerate(features["window_text"]):
        first, last = wanted[number]
        inside = features["piece_starts"][row] >= 0
        spans = features["piece_starts"][row][inside], features["piece_ends"][row][inside]
        holds = first >= 0 and spans[0].min() <= first and spans[1].max() >= last
        assert (starts[row] > 0) == (ends[row] > 0) == holds
        if holds:
            found[number] += 1
            assert features["piece_starts"][row, starts[row]] == first
            context = contexts[number]
            said = context[first : features["piece_ends"][row, ends[row]]]
            assert said.rstrip("\u200b ") == context[first:last]
    assert (found > 0).tolist() == [number != 8 for number in range(len(contexts))]


def test_answers_at_what_the_tokenizer_drops(preprocessor):
    context = "\ufeff\u200ba b\u200b"
    _, y = preprocessor((["who"], [context]), y=[[0, len(context)]])
    assert [int(part[0]) for part in y.values()] == [3, 4]
    _, y = preprocessor((["who"], [" "]), y=[[0, 1]])
    assert [int(part[0]) for part in y.values()] == [0, 0]


def test_sample_weights_go_to_windows(preprocessor, features, questions, contexts):
    spans = np.full((len(contexts), 2), -1)
    weights = np.arange(len(contexts), dtype="float32")
    _, _, given = preprocessor((questions, contexts), y=spans, sample_weight=weights)
    np.testing.assert_array_equal(given, features["window_text"])


def test_in_a_graph_and_one_by_one(preprocessor, features, questions, contexts):
    spec = tf.TensorSpec([None], tf.string)
    traced = tf.function(lambda *texts: preprocessor(texts), input_signature=[spec, spec])
    for name, value in traced(questions, contexts).items():
        np.testing.assert_array_equal(value, features[name])
    none = traced(tf.constant([], tf.string), tf.constant([], tf.string))
    assert none["token_ids"].shape == (0, 2)
    one = preprocessor((questions[0], contexts[0]))
    expected = windows_of(features, 0)
    for name in ("token_ids", "piece_ends", "window_text"):
        np.testing.assert_array_equal(one[name], expected[name])


def test_in_a_dataset(preprocessor, features, questions, contexts):
    spans = np.full((len(contexts), 2), -1)
    dataset = tf.data.Dataset.from_tensor_slices(((questions, contexts), spans)).batch(8)
    rows = [len(y["end_logits"]) for _, y in dataset.map(preprocessor)]
    assert sum(rows) == len(features["token_ids"])


def test_words_have_their_rows(english, contexts, questions):
    words = ["the", "zürich", "北", "café"]
    fused = text.QuestionPreprocessor(english, LENGTH, words, stride=STRIDE)
    features = {k: v.numpy() for k, v in fused((questions, contexts)).items()}
    rows = features["static_ids"]
    assert set(rows[features["piece_starts"] < 0].tolist()) <= {0, 1}
    for row, column in np.argwhere((features["piece_starts"] >= 0) & (rows > 0)):
        context = contexts[features["window_text"][row]]
        start, end = (features[name][row, column] for name in ("piece_starts", "piece_ends"))
        piece = unicodedata.normalize("NFC", context[start:end]).lower()
        assert piece in words[rows[row, column] - 1]
    assert set(rows.ravel().tolist()) == {0, 1, 2, 3, 4}


def test_single_texts_are_as_ever(preprocessor, english, contexts):
    plain = text.Preprocessor(english, LENGTH)(contexts)
    ours = preprocessor(contexts)
    assert list(ours) == list(plain)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, plain[name])


def test_max_length(english, questions, contexts):
    padded = text.QuestionPreprocessor(english, 400, padding="max_length")
    assert padded((questions[:1], contexts[:1]))["token_ids"].shape == (1, 400)


def test_settings_are_kept(preprocessor, english, tmp_path, questions, contexts):
    preprocessor.save_to_preset(tmp_path)
    for cls in (text.QuestionPreprocessor, text.Preprocessor):
        again = cls.from_preset(tmp_path)
        assert type(again) is text.QuestionPreprocessor
        assert (again.stride, again.max_question_pieces) == (STRIDE, QUESTION)
        ids = again((questions, contexts))["token_ids"]
        np.testing.assert_array_equal(ids, preprocessor((questions, contexts))["token_ids"])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(preprocessor))
    assert copy.get_config() == preprocessor.get_config()
    text.Preprocessor(english, LENGTH).save_to_preset(tmp_path / "plain")
    with pytest.raises(FileFormatError, match="QuestionPreprocessor was expected"):
        text.QuestionPreprocessor.from_preset(tmp_path / "plain")


def test_changed_settings_are_heeded(english, questions, contexts):
    made = text.QuestionPreprocessor(english, LENGTH)
    counts = []
    for length in (LENGTH, LENGTH, LENGTH, 99):
        made.sequence_length = length
        assert made.stride == length // 3
        counts.append(len(made((questions, contexts))["token_ids"]))
    assert counts[0] == counts[1] == counts[2] > counts[3]


@pytest.mark.parametrize("name", ["stride", "max_question_pieces"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9"])
def test_settings_that_cannot_be(name, value, english):
    with pytest.raises(BertEmbedError, match=f"`{name}` must be an int of at least 1. Received"):
        text.QuestionPreprocessor(english, **{name: value})


def test_inputs_that_cannot_be(preprocessor, english):
    with pytest.raises(BertEmbedError, match="as many second texts as first"):
        preprocessor((["a"], ["a", "b"]))
    with pytest.raises(BertEmbedError, match="must be strings"):
        preprocessor(([1], [2]))
    with pytest.raises(BertEmbedError, match="at least 5"):
        text.QuestionPreprocessor(english, 4)((["a"], ["b"]))
