import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


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
