import collections
import pickle
from pathlib import Path

import gensim
import numpy as np
import pytest
from gensim.test.utils import datapath
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.probe import BertEmbedTransformer, WordVectorTransformer
from tf_bertembed.probe.word_vector_transformer import split_words


@pytest.fixture(scope="module")
def loaded(glove):
    return gensim.models.KeyedVectors.load_word2vec_format(glove, no_header=True)


@pytest.fixture(scope="module")
def reviews():
    lines = Path(datapath("pang_lee_polarity.cor")).read_text(encoding="latin-1").splitlines()
    texts = [line.split(" ", 1)[1] for line in lines]
    return texts[:150], [*texts[150:], "zzzz qqqq", ""]


def known_words(loaded, texts):
    forms = [[(word, word.lower()) for word in words] for words in split_words(texts)]
    found = [[next((f for f in pair if f in loaded), None) for pair in words] for words in forms]
    return found


@pytest.mark.parametrize(("pooling", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_pools_the_words_found(pooling, reduce, glove, loaded):
    transformer = WordVectorTransformer(glove, pooling=pooling)
    features = transformer.fit_transform(["The (and) of THE", "zzzz", ""])
    assert (features.shape, features.dtype) == ((3, 50), "float32")
    words = ["the", "(", "and", ")", "of", "the"]
    expected = reduce([loaded[word] for word in words], axis=0)
    np.testing.assert_allclose(features[0], expected, rtol=1e-5, atol=1e-6)
    assert not features[1:].any()


def test_words_are_those_of_the_tokenizer():
    texts = ["The company's shares don't", "我住在北京", "Café, (naïve) [SEP] ##x a_b", "", "€5"]
    assert list(split_words(texts)) == [
        ["The", "company", "'", "s", "shares", "don", "'", "t"],
        ["我", "住", "在", "北", "京"],
        *(["Café", ",", "(", "naïve", ")", "[", "SEP", "]", "#", "#", "x", "a", "_", "b"], []),
        ["€5"],
    ]


def test_possessives_and_chinese_find_their_words(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("company 1 0\n' 0 1\ns 2 2\n北 4 0\n京 0 4\n", encoding="utf-8")
    features = WordVectorTransformer(path).fit_transform(["Company's", "我住在北京"])
    np.testing.assert_allclose(features, [[1, 1], [2, 2]])


def test_limit(glove, loaded):
    features = WordVectorTransformer(glove, limit=1).fit_transform(loaded.index_to_key[:2])
    np.testing.assert_allclose(features[0], loaded.vectors[0], rtol=1e-6)
    assert not features[1].any()


def test_tfidf_is_that_of_scikit_learn(glove, loaded, reviews):
    train, test = reviews
    features = WordVectorTransformer(glove, weighting="tfidf").fit(train).transform(test)
    reference = TfidfVectorizer(
        analyzer=lambda one: [word for word in known_words(loaded, [one])[0] if word],
        vocabulary=loaded.index_to_key,
        norm="l1",
    )
    expected = reference.fit(train).transform(test) @ loaded.vectors.astype("float64")
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert not features[-2:].any()
    plain = WordVectorTransformer(glove).fit_transform(test)
    assert np.abs(features - plain).max() > 0.1


@pytest.mark.parametrize("removed", [0, 1, 3])
def test_sif_as_published(removed, glove, loaded, reviews):
    train, test = reviews
    transformer = WordVectorTransformer(
        glove, weighting="sif", components_removed=removed, sif_a=1e-2
    )
    features = transformer.fit(train).transform(test)
    counts = collections.Counter(word for words in split_words(train) for word in words)
    lowered = collections.Counter()
    for word, count in counts.items():
        lowered[word if word in loaded else word.lower()] += count
    total = sum(counts.values())

    def pooled(texts):
        rows = np.zeros((len(texts), 50))
        for row, words in enumerate(known_words(loaded, texts)):
            words = [word for word in words if word]
            for word in words:
                share = lowered[word] / total
                rows[row] += 1e-2 / (1e-2 + share) * loaded[word].astype("float64") / len(words)
        return rows

    expected = pooled(test)
    if removed:
        _, _, directions = np.linalg.svd(pooled(train), full_matrices=False)
        top = directions[:removed]
        expected = expected - expected @ top.T @ top
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_what_was_learned_travels(glove, reviews):
    train, test = reviews
    transformer = WordVectorTransformer(glove, weighting="sif", components_removed=1).fit(train)
    stored = pickle.dumps(transformer)
    assert len(stored) < 20_000
    again = pickle.loads(stored)  # noqa: S301
    np.testing.assert_array_equal(again.transform(test), transformer.transform(test))
    assert 0 < min(transformer.word_weights_.values()) < transformer.unseen_weight_ == 1


def test_weights_of_no_texts(glove):
    for weighting in ("tfidf", "sif"):
        features = WordVectorTransformer(glove, weighting=weighting).fit([]).transform(["the of"])
        expected = WordVectorTransformer(glove).fit_transform(["the of"])
        np.testing.assert_allclose(features, expected, rtol=1e-6)


def test_components_of_a_maximum(glove, reviews):
    train, test = reviews
    plain = WordVectorTransformer(glove, pooling="max").fit(train)
    removed = WordVectorTransformer(glove, pooling="max", components_removed=1).fit(train)
    direction = np.linalg.svd(plain.transform(train).astype("float64"))[2][0]
    assert np.abs(plain.transform(test) @ direction).mean() > 1
    assert np.abs(removed.transform(test) @ direction).max() < 1e-4


def test_a_moved_file_is_named(glove, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(Path(glove).read_bytes())
    stored = pickle.dumps(WordVectorTransformer(path).fit(["a"]))
    path.rename(tmp_path / "moved.txt")
    again = pickle.loads(stored)  # noqa: S301
    with pytest.raises(MissingFileError, match=r"vectors\.txt does not exist"):
        again.transform(["a"])
    path.write_text("the 1 2\nof 3 4\n")
    with pytest.raises(BertEmbedError, match=r"vectors\.txt holds other vectors than in `fit`"):
        again.transform(["a"])


def test_other_vectors_at_the_path(glove, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 2\nof 3 4\n")
    transformer = WordVectorTransformer(path).fit(["a"])
    again = pickle.loads(pickle.dumps(transformer))  # noqa: S301
    path.write_text("of 3 4\nthe 1 2\n")
    assert pickle.loads(pickle.dumps(transformer)).transform(["the"]).tolist() == [[1, 2]]  # noqa: S301
    path.write_text("the 1 2\nof 3 5\n")
    with pytest.raises(BertEmbedError, match=r"vectors\.txt holds other vectors than in `fit`"):
        again.transform(["the"])
    assert transformer.transform(["the"]).tolist() == [[1, 2]]
    moved = tmp_path / "moved.txt"
    moved.write_text("the 1 2\nof 3 4\n")
    assert again.set_params(path_or_name=moved).transform(["the"]).tolist() == [[1, 2]]


def test_clone_and_pickle(glove):
    transformer = WordVectorTransformer(glove).fit(["a"])
    assert clone(transformer).get_params() == transformer.get_params()
    stored = pickle.dumps(transformer)
    assert len(stored) < 1000
    again = pickle.loads(stored)  # noqa: S301
    np.testing.assert_array_equal(
        again.transform(["the said"]), transformer.transform(["the said"])
    )


def test_beside_a_bert(glove, preset, texts):
    both = make_union(WordVectorTransformer(glove), BertEmbedTransformer(preset))
    pipeline = make_pipeline(both, LogisticRegression())
    assert pipeline.fit(texts, [0, 1] * 6).predict(texts).shape == (12,)
    names = both.get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == 58
    assert names[0] == "wordvectortransformer__wordvectortransformer0"


def test_what_cannot_be(glove, tmp_path):
    with pytest.raises(BertEmbedError, match=r"'mean' or 'max'\. Received: 'sum'"):
        WordVectorTransformer(glove, pooling="sum").fit(["a"])
    for settings, message in (
        ({"weighting": "idf"}, r"`weighting` must be one of .*Received: 'idf'"),
        (
            {"weighting": "sif", "sif_a": 0},
            r"`sif_a` must be a finite number above 0\. Received: 0",
        ),
        ({"weighting": "sif", "pooling": "max"}, "a maximum has no use for weights"),
        ({"components_removed": -1}, r"`components_removed` must be an int of at least 0.*-1"),
        ({"components_removed": 50}, r"less than the width 50 and the \d+ texts of `fit`.*50"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            WordVectorTransformer(glove, **settings).fit(["a", "the"] * 40)
    with pytest.raises(MissingFileError, match="nowhere"):
        WordVectorTransformer(tmp_path / "nowhere").fit(["a"])
    with pytest.raises(BertEmbedError, match=r"Row 1 holds 3 \(int\)"):
        WordVectorTransformer(glove).fit(["a", 3])


def test_empty_input(glove):
    assert WordVectorTransformer(glove).fit(["a"]).transform([]).shape == (0, 50)
