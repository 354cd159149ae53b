"""Features: TF-IDF and SIF know the training part alone, BERT and pairs are what they say."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tf_bertembed import models, probe
from tf_bertembed.probe.comparison.features import (
    bert_features,
    joined,
    pair_features,
    tfidf_features,
    word_features,
)
from tf_bertembed.probe.comparison.labelled_data import LabelledData
from tf_bertembed.probe.comparison.word_counts import CHARACTERS, WORDS, count_settings


@pytest.fixture(scope="module")
def data(texts):
    return LabelledData((texts,), np.arange(12) % 2, ["a", "b"], 12, 0)


@pytest.fixture(scope="module")
def pairs(texts):
    return LabelledData((texts, texts[::-1]), np.arange(12) % 2, ["a", "b"], 12, 0)


POOLS = [np.arange(8), np.array([1, 3, 5, 7, 9, 10, 11])]


@pytest.mark.parametrize("pool", POOLS, ids=["first", "others"])
def test_tfidf_is_scikit_learns_on_the_training_part(data, texts, pool):
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, **WORDS)
    expected = vectorizer.fit([texts[row] for row in pool]).transform(texts)
    found = tfidf_features(data).matrix(pool)
    # The columns stand in the order of the words in both.
    np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=1e-6)


def test_characters_where_words_are_not_spaced(texts):
    assert count_settings(texts) is WORDS
    assert count_settings(["房间很大,服务也好。", "The hotel 不错"]) is CHARACTERS
    assert count_settings(["Ünïcödé wörds", "42"]) is WORDS
    assert count_settings(["ひらがなです", "สวัสดี"]) is CHARACTERS
    chinese = LabelledData((["很好吃", "不好吃", "好吃"],), np.arange(3), list("abc"), 3, 0)
    features = tfidf_features(chinese)
    # 好, 吃 and 好吃 stand in two texts or more.
    assert features.matrix(np.arange(3)).shape == (3, 3)
    assert "characters" in features.about


def test_very_few_texts_keep_all_words():
    few = LabelledData((["one", "two"],), np.arange(2), list("ab"), 2, 0)
    assert tfidf_features(few).matrix(np.arange(2)).shape == (2, 2)


def test_pairs_are_both_sides_and_what_they_differ_by(pairs, texts, glove):
    words = probe.WordVectorTransformer(glove).fit([])
    u, v = words.transform(texts), words.transform(texts[::-1])
    found = word_features(pairs, glove).matrix(POOLS[0])
    np.testing.assert_array_equal(found, np.hstack([u, v, np.abs(u - v)]))
    weighed = tfidf_features(pairs).matrix(POOLS[0]).toarray()
    first, second, apart = np.hsplit(weighed, 3)
    np.testing.assert_allclose(first, second[::-1], atol=1e-7)
    np.testing.assert_allclose(apart, np.abs(first - second), atol=1e-7)
    np.testing.assert_array_equal(pair_features([u]), u)


@pytest.mark.parametrize("pool", POOLS, ids=["first", "others"])
def test_sif_is_learned_from_the_training_part(data, texts, glove, pool):
    expected = probe.WordVectorTransformer(glove, weighting="sif", components_removed=1)
    expected.fit([texts[row] for row in pool])
    features = word_features(data, glove, weighting="sif")
    np.testing.assert_array_equal(features.matrix(pool), expected.transform(texts))


def test_bert_its_layers_and_its_cache(data, texts, preset, expected, glove, tmp_path, monkeypatch):
    from tf_bertembed.probe.comparison import features

    monkeypatch.setattr(features, "WINDOW", 5)
    bert = bert_features(data, preset, cache=tmp_path)
    np.testing.assert_allclose(bert.matrix(POOLS[0]), expected, rtol=1e-4, atol=1e-5)
    last = bert_features(data, preset, layer=1, cache=tmp_path).matrix(POOLS[0])
    np.testing.assert_allclose(last, expected, rtol=1e-4, atol=1e-5)
    first = bert_features(data, preset, layer=0, cache=tmp_path).matrix(POOLS[0])
    alone = models.load_encoder(preset, layers=0).encode(texts)
    np.testing.assert_allclose(first, alone, rtol=1e-4, atol=1e-5)
    # A hundred times what rounding makes of the same layer.
    assert np.abs(first - last).max() > 1e-3
    words = word_features(data, glove)
    both = joined("both", bert, words).matrix(POOLS[0])
    np.testing.assert_array_equal(both, np.hstack([bert.matrix(POOLS[0]), words.matrix(POOLS[0])]))
