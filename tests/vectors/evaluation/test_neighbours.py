import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def lee():
    return vectors.load(datapath("lee_fasttext.vec"))


@pytest.fixture
def with_zeros():
    found = KeyedVectors(2)
    rows = {"a": (1, 0), "nothing": (0, 0), "b": (1, 1), "c": (-1, 0)}
    found.add_vectors(list(rows), np.array(list(rows.values()), np.float32))
    return found


def test_as_by_hand(lee):
    (report,) = vectors.nearest_neighbours(lee, ["government"], count=100)
    unit = np.float64(lee.vectors)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit[lee.key_to_index["government"]]
    order = [row for row in np.argsort(-cosines) if lee.index_to_key[row] != "government"]
    assert [near["word"] for near in report["neighbours"]] == [
        lee.index_to_key[row] for row in order[:100]
    ]
    found = [near["cosine"] for near in report["neighbours"]]
    np.testing.assert_allclose(found, cosines[order[:100]], atol=1e-6)
    assert not report["by_ngrams"]


def test_a_missing_word(lee):
    with pytest.raises(
        common.BertEmbedError,
        match=r"no vector for 'goverment' among the 1762 words\. Did you mean 'government'",
    ):
        vectors.nearest_neighbours(lee, ["of", "goverment"])
    with pytest.raises(
        common.BertEmbedError, match=r"'OF'.*mean 'of'.*'쀍' among the 1762 words\.$"
    ):
        vectors.nearest_neighbours(lee, ["OF", "쀍"])


def test_ngrams_stand_in_for_unknown_words():
    fasttext = load_facebook_vectors(datapath("lee_fasttext_new.bin"))
    known, unknown = vectors.nearest_neighbours(fasttext, ["the", "governmental"], count=3)
    assert (known["by_ngrams"], unknown["by_ngrams"]) == (False, True)
    expected = fasttext.most_similar("governmental", topn=3)
    assert [(n["word"], n["cosine"]) for n in unknown["neighbours"]] == expected


def test_vectors_of_zeros_are_no_neighbours(with_zeros, recwarn):
    (report,) = vectors.nearest_neighbours(with_zeros, ["a"])
    assert [near["word"] for near in report["neighbours"]] == ["b", "c"]
    assert not recwarn.list
    with pytest.raises(common.BertEmbedError, match="vector of 'nothing' is zeros"):
        vectors.nearest_neighbours(with_zeros, ["nothing"])


def test_bad_arguments(lee):
    with pytest.raises(common.BertEmbedError, match="`count` must be an int of at least 1"):
        vectors.nearest_neighbours(lee, ["of"], count=0)
    with pytest.raises(common.BertEmbedError, match="`words` must be several strings"):
        vectors.nearest_neighbours(lee, "of")
