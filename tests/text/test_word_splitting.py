import re

import pytest
import tensorflow as tf

from tf_bertembed import text
from tf_bertembed.text.word_splitting import SPLITS, is_punctuation, join_words, split_texts

TEXTS = [
    "Café naïve, don't!  stop",
    "我住在北京，今天。",
    "",
    " \u3000\t ",
    "👍🏽 e\u0301a\u200b 🇩🇪x",
    "a\x0bb\u2028c\u00a0d",
    "👨\u200d👩\u200d👧 o\u0308k [SEP] $5",
]


@pytest.mark.parametrize("split", SPLITS)
def test_places_are_code_points_of_the_text(split):
    words, starts, ends = split_texts(tf.constant(TEXTS), split)
    for string, *columns in zip(
        TEXTS, words.to_list(), starts.to_list(), ends.to_list(), strict=True
    ):
        found = [string[start:end] for _, start, end in zip(*columns, strict=True)]
        assert found == [word.decode() for word in columns[0]]
        assert "".join(found) == re.sub(r"[\t\n\r\u2028\u3000\u00a0 ]", "", string)


def test_what_a_word_is():
    def cut(string, split):
        return [word.decode() for word in split_texts(tf.constant([string]), split)[0].to_list()[0]]

    assert cut("I can't, 我们去 a-b.", "whitespace") == ["I", "can't,", "我们去", "a-b."]
    assert cut("I can't, 我们去", "punctuation") == [*["I", "can", "'", "t", ",", "我", "们", "去"]]
    assert cut("ab 我e\u0301，", "characters") == ["a", "b", "我", "e\u0301", "，"]


def test_punctuation_is_cut_where_bert_cuts(tokenizer):
    # Of plain words and marks, BERT's own normalisation makes the same words.
    sentence = "“Well” (he said) — it's 100% $3.50, isn't it?! a_b@c.d 北京、上海。"
    words = split_texts(tf.constant([sentence]), "punctuation")[0].to_list()[0]
    normalized = tokenizer.tokenize([sentence])
    starts = tokenizer.starts_word(normalized).to_list()[0]
    assert len(words) == sum(starts)
    assert is_punctuation("—")
    assert is_punctuation("$")
    assert not is_punctuation("a")
    assert not is_punctuation("?!")


def test_joined_words():
    words = tf.ragged.constant([["我", "👍🏽"], [], ["x"], [], []])
    for gap in (" ", ""):
        texts, starts, ends = join_words(words, gap)
        rows = zip(words.to_list(), texts.numpy(), starts.to_list(), ends.to_list(), strict=True)
        for row, joined, begins, stops in rows:
            joined = joined.decode()
            assert joined == gap.join(word.decode() for word in row)
            places = zip(begins, stops, strict=True)
            assert [joined[a:b] for a, b in places] == [word.decode() for word in row]


def test_broken_utf8_does_not_stop_a_graph():
    words, starts, ends = split_texts(tf.constant([b"a \xff\xfe b", b"\x80"]), "characters")
    assert words.row_lengths().numpy().tolist() == starts.row_lengths().numpy().tolist()
    assert (ends.values >= starts.values).numpy().all()


def test_the_words_of_the_lists_are_those_of_the_text(tokenizer):
    preprocessor = text.TaggingPreprocessor(tokenizer, split="characters")
    joined, words, _, ends = preprocessor.split_words([["我", "们"], ["🙂"]])
    assert joined.numpy().tolist() == ["我们".encode(), "🙂".encode()]
    assert words.to_list()[0] == ["我".encode(), "们".encode()]
    assert ends.to_list() == [[1, 2], [1]]
