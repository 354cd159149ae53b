import numpy as np
import pytest
from gensim.models import KeyedVectors, Word2Vec
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


def keyed(words, matrix):
    found = KeyedVectors(np.shape(matrix)[1])
    found.index_to_key = words
    found.key_to_index = {word: row for row, word in enumerate(words)}
    found.vectors = np.array(matrix, np.float32)
    return found


def test_row_zero_is_no_word(glove):
    words, matrix = vectors.static_table(glove)
    assert words == glove.index_to_key
    assert matrix.shape == (len(glove) + 1, 50)
    assert matrix.dtype == np.float32
    assert not matrix[0].any()
    np.testing.assert_array_equal(matrix[1:], glove.vectors)


def test_only_some_words_in_the_order_asked(glove):
    words, matrix = vectors.static_table(glove, words=iter(["of", "nowhere", "the", "of"]))
    assert words == ["of", "the"]
    for row, word in enumerate(words, start=1):
        np.testing.assert_array_equal(matrix[row], glove[word])


def test_the_table_is_a_copy(glove):
    _, matrix = vectors.static_table(glove)
    matrix[1] = 0
    assert glove.vectors[0].any()


@pytest.mark.parametrize("words", [[], ["nowhere"]])
def test_no_word_is_found(glove, words):
    with pytest.raises(common.BertEmbedError, match="None of the `words` is among the 76 words"):
        vectors.static_table(glove, words=words)


def test_words_that_are_one_string(glove):
    with pytest.raises(common.BertEmbedError, match="must be several strings"):
        vectors.static_table(glove, words="the")


def test_what_is_no_word_vectors():
    with pytest.raises(
        common.BertEmbedError, match=r"gensim `KeyedVectors`.* Received: 'glove.txt'"
    ):
        vectors.static_table("glove.txt")
    with pytest.raises(common.BertEmbedError, match=r"Received: 0 words of width 5"):
        vectors.static_table(KeyedVectors(5))
    with pytest.raises(common.BertEmbedError, match=r"Received: 1 words of width 0"):
        vectors.static_table(keyed(["the"], np.zeros((1, 0))))
    model = Word2Vec([["a", "b"]], vector_size=2, min_count=1)
    with pytest.raises(common.BertEmbedError, match=r"Pass the model's `.wv`"):
        vectors.static_table(model)


def test_numbers_that_are_not_finite():
    words = keyed(["the", "of", "to"], [[1, 2], [np.nan, 1], [1, np.inf]])
    message = r"The vector of 'of' is not finite, and those of 1 more words\. .* \[nan  1.\]"
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.static_table(words)
    with pytest.raises(common.BertEmbedError, match="The vector of 'to' is not finite"):
        vectors.static_table(words, words=["the", "to"])
    assert vectors.static_table(words, words=["the"])[0] == ["the"]
