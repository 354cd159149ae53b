import pickle

import gensim
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.probe import BertEmbedTransformer, WordVectorTransformer
from tf_bertembed.probe.word_vector_transformer import split_words


@pytest.fixture(scope="module")
def loaded(glove):
    return gensim.models.KeyedVectors.load_word2vec_format(glove, no_header=True)


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
    with pytest.raises(MissingFileError, match="nowhere"):
        WordVectorTransformer(tmp_path / "nowhere").fit(["a"])
    with pytest.raises(BertEmbedError, match=r"Row 1 holds 3 \(int\)"):
        WordVectorTransformer(glove).fit(["a", 3])


def test_empty_input(glove):
    assert WordVectorTransformer(glove).fit(["a"]).transform([]).shape == (0, 50)
