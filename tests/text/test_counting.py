from pathlib import Path

from gensim.test.utils import datapath

from tf_bertembed import text
from tf_bertembed.text.counting import BATCH, corpus_statistics

PIECES = [*text.SPECIAL_TOKENS, "caf", "##e", "a", "我", ","]


def test_words_are_spelled_as_in_the_text():
    tokenizer = text.BertEmbedTokenizer(PIECES)
    words = text.count_words(["Café, cafe🙂", "我我", "", "a  a"], tokenizer)
    assert words == {"Café": 1, ",": 1, "cafe🙂": 1, "我": 2, "a": 2}


def test_a_corpus_of_more_than_one_batch():
    tokenizer = text.BertEmbedTokenizer(PIECES)
    assert text.count_words(["a"] * (BATCH + 1), tokenizer) == {"a": BATCH + 1}


def test_pieces_of_counted_words_are_those_of_the_texts():
    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()[:20]
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(lines, 400))
    words = text.count_words(lines, tokenizer)
    ids = tokenizer.tokenize(lines).values.numpy()
    counts = text.count_pieces(words, tokenizer)
    assert counts.tolist() == [(ids == piece).sum() for piece in range(400)]
    found = corpus_statistics(words, tokenizer)
    starts = tokenizer.starts_word(ids).numpy().sum()
    assert found == {
        "words": starts,
        "pieces_per_word": len(ids) / starts,
        "unknown_share": (ids == 1).mean(),
    }


def test_no_words():
    tokenizer = text.BertEmbedTokenizer(PIECES)
    assert text.count_pieces({}, tokenizer).tolist() == [0] * len(PIECES)
