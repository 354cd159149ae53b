from pathlib import Path

import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, text

PIECES = [*text.SPECIAL_TOKENS, "the", "cell", "gen", "##e", "##s", "c", "##o", "我", ",", "##c"]


def added(texts, size=10, vocabulary=PIECES, **arguments):
    longer = text.extend_vocabulary(vocabulary, texts, size, **{"min_frequency": 1, **arguments})
    pieces = vocabulary if isinstance(vocabulary, list) else vocabulary.get_vocabulary()
    assert longer[: len(pieces)] == pieces
    return longer[len(pieces) :]


def test_words_that_are_cut_or_unknown_most_frequent_first():
    texts = ["The gene, the cells", "Genes gène 🙂 cell", "🙂 我我 GENE"]
    assert added(texts) == ["gene", "🙂", "cells", "genes"]
    assert added(texts, 2) == ["gene", "🙂"]
    assert added(texts, min_frequency=3) == ["gene"]


def test_case_and_accents_as_the_tokenizer_takes_them():
    assert added(["Gène Gène gene"], lowercase=False) == ["Gène", "gene"]
    tokenizer = text.BertEmbedTokenizer(PIECES, lowercase=True, strip_accents=False)
    assert added(["Gène GÈNE gene"], vocabulary=tokenizer) == ["gène", "gene"]


def test_chinese_words_where_the_tokenizer_does_not_split_them():
    tokenizer = text.BertEmbedTokenizer(PIECES, tokenize_chinese_chars=False)
    assert added(["我我 我我 coco"], vocabulary=tokenizer) == ["我我", "coco"]
    assert added(["我我 我我 coco"]) == ["coco"]


def test_counts_in_place_of_texts():
    counts = {"genes": 2, "Genes": 2, "coco": 3, "two words": 9, "co-co": 9, "c": 9}
    assert added(counts) == ["genes", "coco"]


def test_words_too_long_for_the_tokenizer_stay_out():
    tokenizer = text.BertEmbedTokenizer(PIECES, max_chars_per_word=5)
    assert added(["cocococo coco"], vocabulary=tokenizer) == ["coco"]


def test_files_of_texts_and_real_words(tmp_path):
    path = Path(datapath("lee_background.cor"))
    lines = path.read_text(encoding="utf-8").splitlines()[:60]
    (tmp_path / "corpus.txt").write_text("\n".join(lines))
    vocabulary = text.train_vocabulary(lines[:5], 300)
    first = added([tmp_path / "corpus.txt"], 50, vocabulary)
    assert first == added(lines, 50, vocabulary)
    tokenizer = text.BertEmbedTokenizer([*vocabulary, *first])
    assert [len(ids) for ids in tokenizer(first)] == [1] * 50
    words = text.count_words(lines, tokenizer)
    # gensim's corpus has no word that stands for several of one of these.
    counts = [sum(n for word, n in words.items() if word.lower() == piece) for piece in first]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("texts", "size", "arguments", "message"),
    [
        (["gene"], 0, {}, "`size` must be an int of at least 1. Received: 0"),
        (["gene"], 1, {"min_frequency": 0.5}, "`min_frequency` must be .* Received: 0.5"),
        ([""], 1, {}, "The corpus is empty: no word was found"),
        ([], 1, {}, "The corpus is empty"),
        ({}, 1, {}, "nothing to add: of 0 words, 0 occur"),
        (["the cell gene"], 1, {"min_frequency": 2}, "of 3 words, 0 occur at least 2 times"),
        (["the the"], 1, {}, "of 1 words, 1 occur at least 1 times, and the vocabulary has each"),
        ("corpus.txt", 1, {}, "`texts` must be a list of strings or of `pathlib.Path`s"),
    ],
)
def test_nothing_to_add(texts, size, arguments, message):
    with pytest.raises(common.BertEmbedError, match=message):
        added(texts, size, **arguments)
