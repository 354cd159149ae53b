"""word2vec and fastText by gensim, and one-hot vectors condensed."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, Word2Vec
from gensim.test.utils import datapath
from scipy import sparse

from tf_bertembed import common, vectors
from tf_bertembed.vectors.training.one_hot_svd import positive_information

LEE = Path(datapath("lee_background.cor"))
SMALL = {"vector_size": 12, "epochs": 2, "window": 3, "min_count": 10}


def train_fasttext(corpus, **options):
    return vectors.train_fasttext(corpus, **{"buckets": 500, **options})


BY_GENSIM = pytest.mark.parametrize("train", [vectors.train_word2vec, train_fasttext])


@pytest.fixture(scope="module")
def lee():
    return list(vectors.WordCorpus(LEE))[:100]


def check_words(trained, corpus):
    counts = [trained.get_vecattr(word, "count") for word in trained.index_to_key]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= SMALL["min_count"]
    everything = [word for line in corpus for word in line]
    assert counts[0] == everything.count(trained.index_to_key[0])


@pytest.mark.parametrize("skip_gram", [False, True])
@pytest.mark.parametrize(
    ("train", "model"), [(vectors.train_word2vec, Word2Vec), (train_fasttext, FastText)]
)
def test_vectors_are_gensims(lee, train, model, skip_gram):
    trained = train(lee, skip_gram=skip_gram, seed=3, **SMALL)
    check_words(trained, lee)
    buckets = {"bucket": 500} if model is FastText else {}
    theirs = model(sg=int(skip_gram), seed=3, workers=1, **SMALL, **buckets)
    frequencies = {
        word: trained.get_vecattr(word, "count") for word in sorted(trained.index_to_key)
    }
    theirs.build_vocab_from_freq(
        dict(sorted(frequencies.items(), key=lambda pair: -pair[1])), corpus_count=len(lee)
    )
    theirs.train(lee, total_words=sum(map(len, lee)), epochs=SMALL["epochs"])
    assert theirs.wv.index_to_key == trained.index_to_key
    assert (theirs.wv.vectors == trained.vectors).all()
    other = train(lee, skip_gram=skip_gram, seed=4, **SMALL)
    assert not np.allclose(other.vectors, trained.vectors)


@BY_GENSIM
def test_files_are_streamed_and_long_lines_are_not_cut_off(tmp_path, train):
    # gensim itself passes over what comes after the 10,000th word of a line.
    start = "one two " * 6000
    (tmp_path / "a.txt").write_text(start + "late words " * 500, encoding="utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"more words\n" * 20))
    paths = [tmp_path / "a.txt", tmp_path / "b.txt.gz"]
    trained = train(paths, **SMALL)
    untrained = train([start.split(), ["late", "words", "more"] * 520], **SMALL)
    assert set(trained.index_to_key) == {"one", "two", "late", "words", "more"}
    assert trained.get_vecattr("words", "count") == 520
    assert not np.allclose(trained["late"], untrained["late"])


@BY_GENSIM
def test_a_corpus_that_breaks_off_while_it_is_learned_is_an_error(lee, train):
    class Breaking:
        turn = 0

        def __iter__(self):
            self.turn += 1
            yield from lee[:50]
            if self.turn > 1:
                raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        train(Breaking(), **SMALL)


def test_fasttext_keeps_n_grams(lee):
    trained = train_fasttext(lee, min_n=2, max_n=4, **SMALL)
    assert "Australianness" not in trained.key_to_index
    assert trained.similarity("Australianness", "Australian") > trained.similarity(
        "Australianness", "of"
    )


def test_positive_information_is_that_of_a_dense_array():
    counts = np.array([[0, 4, 1], [4, 2, 0], [1, 0, 3.0]])
    total = counts.sum()
    smoothed = counts.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        expected = np.log(
            counts / total / np.outer(counts.sum(1) / total, smoothed / smoothed.sum())
        )
    found = positive_information(sparse.csr_matrix(counts), 0.75).toarray()
    np.testing.assert_allclose(found, np.maximum(expected, 0))


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_one_hot_svd_is_the_best_approximation(lee, power):
    met = vectors.count_cooccurrences(lee, window=3, min_count=20)
    trained = vectors.train_one_hot_svd(met, vector_size=20, power=power)
    check_words(trained, lee)
    dense = positive_information(met.matrix, 0.75).toarray()
    left, strengths, _ = np.linalg.svd(dense)
    expected = left[:, :20] * strengths[:20] ** power
    # Directions are known up to their sign, so products of vectors are compared.
    np.testing.assert_allclose(
        trained.vectors @ trained.vectors.T, expected @ expected.T, atol=1e-3
    )
    again = vectors.train_one_hot_svd(met, vector_size=20, power=power, seed=9)
    np.testing.assert_allclose(again.vectors, trained.vectors, atol=1e-3)


@BY_GENSIM
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_size": 0}, "`vector_size` must be an int of at least 1. Received: 0."),
        ({"window": 0}, "`window` must be an int of at least 1"),
        ({"epochs": 0}, "`epochs` must be an int of at least 1"),
        ({"negative": 0}, "`negative` must be an int of at least 1"),
        ({"workers": 0}, "`workers` must be an int of at least 1"),
        ({"seed": -1}, "`seed` must be an int of at least 0. Received: -1."),
        (
            {"seed": 2**32},
            "`seed` must be an int of at least 0, below 2,147,483,648. Received: 4294967296.",
        ),
        ({"learning_rate": -1}, "`learning_rate` must be a number above 0. Received: -1."),
        ({"learning_rate": 1e30}, r"`learning_rate` must be at most 1: .*Received: 1e\+30"),
        ({"min_count": 10**6}, "No word occurs `min_count` times. Received: min_count=1000000"),
    ],
)
def test_bad_options_of_gensims(lee, train, options, message):
    with pytest.raises(common.BertEmbedError, match=message):
        train(lee, **{**SMALL, "min_count": 2, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_n": 0}, "`min_n` must be an int of at least 1"),
        ({"min_n": 4, "max_n": 3}, "`max_n` must be at least `min_n`. Received: min_n=4, max_n=3"),
        ({"buckets": 0}, "`buckets` must be an int of at least 1"),
    ],
)
def test_bad_n_grams(lee, options, message):
    with pytest.raises(common.BertEmbedError, match=message):
        train_fasttext(lee, **{**SMALL, **options})


def test_one_hot_svd_of_words_that_meet_by_chance_only():
    met = vectors.Cooccurrences(list("abc"), [3, 2, 1], sparse.csr_matrix(np.ones((3, 3))), 6)
    with pytest.raises(common.BertEmbedError, match=r"more often than by chance.* 3 words"):
        vectors.train_one_hot_svd(met, vector_size=2, smoothing=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_size": 0}, "`vector_size` must be an int of at least 1"),
        ({"vector_size": 6}, "must be less than the number of words, 6. Received: 6."),
        ({"vector_size": 5}, "only 2 directions that differ"),
        ({"smoothing": 0}, "`smoothing` must be a number above 0 to 1. Received: 0."),
        ({"power": 1.5}, "`power` must be a number from 0 to 1. Received: 1.5."),
    ],
)
def test_bad_options_of_one_hot_svd(options, message):
    corpus = [["a", "b"], ["a", "c"], ["a", "d"], ["a", "e"], ["a", "f"]]
    met = vectors.count_cooccurrences(corpus, min_count=1)
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.train_one_hot_svd(met, **options)


@pytest.mark.parametrize("given", ["corpus.txt", [["a", "b"]], None])
def test_condensing_what_was_not_counted(given):
    with pytest.raises(common.BertEmbedError, match=r"must be what `vectors\.count_cooc"):
        vectors.train_one_hot_svd(given)
