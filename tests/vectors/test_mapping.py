import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from scipy.linalg import orthogonal_procrustes

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


@pytest.fixture(scope="module")
def pairs():
    generator = np.random.default_rng(3)
    source = generator.normal(size=(200, 12))
    target = source @ generator.normal(size=(12, 20)) + 0.1 * generator.normal(size=(200, 20))
    return source, target


def test_least_squares(pairs):
    source, target = pairs
    found = vectors.fit_map(source, target)
    assert found.shape == (12, 20)
    assert found.dtype == np.float32
    # The normal equations are another way to the same map.
    expected = np.linalg.solve(source.T @ source, source.T @ target)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_an_orthogonal_map_keeps_lengths_and_is_the_best_one(pairs):
    source, target = pairs
    found = vectors.fit_map(source, target[:, :12], orthogonal=True)
    expected, _ = orthogonal_procrustes(source, target[:, :12])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    wider = vectors.fit_map(source, target, orthogonal=True)
    assert wider.shape == (12, 20)
    np.testing.assert_allclose(wider @ wider.T, np.eye(12), atol=1e-6)
    error = np.linalg.norm(source @ wider - target)
    generator = np.random.default_rng(0)
    for _ in range(20):
        turned = np.linalg.qr(wider.T + 0.1 * generator.normal(size=(20, 12)))[0].T
        signs = np.sign((turned * wider).sum(axis=1))[:, None]
        assert np.linalg.norm(source @ (turned * signs) - target) > error


@pytest.mark.parametrize(
    ("source", "target", "orthogonal", "message"),
    [
        (np.ones((5, 2)), np.ones((4, 2)), False, "a row for each pair. Received: 5 and 4 rows"),
        (np.ones((1, 2)), np.ones((1, 2)), False, "1 pairs do not determine a map .* width 2"),
        (np.eye(3), np.ones((3, 2)), True, "fewer dimensions.* Received: from 3 to 2"),
        (np.ones(3), np.ones((3, 2)), False, r"`source` must be .* Received: shape \(3,\)"),
        (np.ones((3, 0)), np.ones((3, 2)), False, r"`source` must be .* Received: shape \(3, 0\)"),
        (np.eye(3), "glove.txt", False, r"`target` must be an array .* Received: 'glove.txt'"),
        (np.eye(2), [[1, 2], [np.nan, 1]], False, r"`target` .* finite .*\[nan  1.\] in row 1"),
        (np.full((2, 1), np.inf), np.ones((2, 1)), False, r"`source` .* finite .*\[inf\] in row 0"),
    ],
)
def test_what_gives_no_map(source, target, orthogonal, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.fit_map(source, target, orthogonal)


def test_into_a_table_learned_on_the_words_that_are_pieces(glove):
    into = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    shared = glove.index_to_key[10:70]
    vocabulary = ["[PAD]", *shared, "##ing", "nowhere"]
    table = np.zeros((63, 64), np.float32)
    table[1:61] = glove.vectors[10:70] @ into
    mapped = vectors.map_to_table(glove, table, vocabulary)
    assert mapped.index_to_key == glove.index_to_key
    assert mapped.vectors.dtype == np.float32
    # Words that are no piece land where the map takes them.
    np.testing.assert_allclose(mapped.vectors, glove.vectors @ into, rtol=1e-3, atol=1e-3)
    rows = vectors.align(mapped, ["[PAD]", "the", "of"]).matrix
    np.testing.assert_array_equal(rows[1], mapped["the"])


def test_the_counts_of_words_stay(glove):
    counted = KeyedVectors(2)
    counted.add_vectors(["a", "b", "c"], np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    counted.set_vecattr("b", "count", 7)
    mapped = vectors.map_to_table(counted, np.eye(2), ["a", "b"], orthogonal=True)
    assert mapped.get_vecattr("b", "count") == 7
    np.testing.assert_allclose(mapped.vectors, counted.vectors, atol=1e-6)


def test_what_cannot_be_mapped_into_a_table(glove):
    with pytest.raises(
        common.BertEmbedError, match=r"Only 1 of the 3 pieces are words .* width 50"
    ):
        vectors.map_to_table(glove, np.ones((3, 4)), ["[PAD]", "the", "##ing"])
    with pytest.raises(common.BertEmbedError, match=r"each of the 2 pieces. Received: 3 rows"):
        vectors.map_to_table(glove, np.ones((3, 4)), ["[PAD]", "the"])
    with pytest.raises(common.BertEmbedError, match=r"Received: 'glove.txt'"):
        vectors.map_to_table("glove.txt", np.ones((3, 4)), ["[PAD]", "the", "of"])


@pytest.mark.parametrize("vocabulary", ["vocab.txt", {"the": 0}, {"the"}, None])
def test_pieces_whose_place_is_not_their_id(vocabulary):
    glove = vectors.load(datapath("test_glove.txt"))
    with pytest.raises(common.BertEmbedError, match="`vocabulary` must be a list of pieces, in"):
        vectors.map_to_table(glove, np.ones((1, 2)), vocabulary)
    with pytest.raises(common.BertEmbedError, match="`vocabulary` must be a list of pieces, in"):
        vectors.align(glove, vocabulary)
