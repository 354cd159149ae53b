from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, text


@pytest.fixture(scope="module")
def corpus():
    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()[:30]
    return lines, text.BertEmbedTokenizer(text.train_vocabulary(lines, 300))


def train(corpus, **arguments):
    return text.train_piece_vectors(*corpus, **{"vector_size": 8, "epochs": 1, **arguments})


def test_frequent_pieces_have_vectors(corpus):
    lines, tokenizer = corpus
    found = train(corpus, min_count=5)
    counts = text.count_pieces(text.count_words(lines, tokenizer), tokenizer)
    frequent = {tokenizer.id_to_token(int(i)) for i in np.flatnonzero(counts >= 5)}
    assert set(found.index_to_key) == frequent
    assert found.vectors.shape == (len(found), 8)


def test_the_seed_decides(corpus):
    vectors = train(corpus).vectors
    assert (train(corpus).vectors == vectors).all()
    assert (train(corpus, seed=1).vectors != vectors).any()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "The corpus has no word"),
        (["", " "], "The corpus has no word"),
        (["one two"], "No word occurs `min_count` times"),
        ("one two", "`texts` must be a list"),
    ],
)
def test_no_frequent_piece(texts, message, corpus):
    with pytest.raises(common.BertEmbedError, match=message):
        train((texts, corpus[1]))
