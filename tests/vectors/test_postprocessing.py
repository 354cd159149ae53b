import numpy as np
import pytest
from gensim.test.utils import datapath
from sklearn.decomposition import PCA

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


@pytest.mark.parametrize("components", [0, 1, 3])
@pytest.mark.parametrize("remove_mean", [True, False])
def test_against_principal_components_of_scikit_learn(glove, components, remove_mean):
    found = vectors.postprocess(glove, remove_mean, components)
    rows = glove.vectors.astype(np.float64)
    top = PCA(max(components, 1), svd_solver="full").fit(rows).components_[:components]
    if remove_mean:
        rows = rows - rows.mean(axis=0)
    np.testing.assert_allclose(found.vectors, rows - rows @ top.T @ top, atol=1e-5)
    assert found.vectors.dtype == np.float32
    assert found.index_to_key == glove.index_to_key


def test_rows_of_zeros_count_for_nothing(glove):
    _, table = vectors.static_table(glove)
    found = vectors.postprocess(table, remove_components=2)
    assert not found[0].any()
    alone = vectors.postprocess(glove, remove_components=2).vectors
    np.testing.assert_allclose(found[1:], alone, atol=1e-5)
    scaled = vectors.postprocess(table, scale=0.5)
    assert scaled[1:].std() == pytest.approx(0.5, rel=1e-5)
    assert not scaled[0].any()


def test_scales(glove):
    unit = vectors.postprocess(glove, scale="unit").vectors
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    # The same numbers as before, all multiplied by one.
    scaled = vectors.postprocess(glove, remove_mean=False, scale=0.02).vectors
    assert scaled.std() == pytest.approx(0.02, rel=1e-5)
    np.testing.assert_allclose(
        scaled / scaled[0, 0], glove.vectors / glove.vectors[0, 0], rtol=1e-4
    )
    np.testing.assert_array_equal(
        vectors.postprocess(glove, remove_mean=False).vectors, glove.vectors
    )


def test_a_vector_that_is_the_mean_becomes_zeros():
    found = vectors.postprocess([[0.0, 2.0], [2.0, 0.0], [1.0, 1.0]], scale="unit")
    np.testing.assert_allclose(found, [[-(0.5**0.5), 0.5**0.5], [0.5**0.5, -(0.5**0.5)], [0, 0]])


@pytest.mark.parametrize("number", [0.1, 0.3, 7.7])
def test_numbers_that_are_all_the_same_have_no_scale(number):
    same = np.full((7, 3), number, np.float32)
    np.testing.assert_array_equal(vectors.postprocess(same, False, scale=1.0), same)


def test_the_vectors_given_stay(glove):
    before = glove.vectors.copy()
    counted = vectors.postprocess(glove)
    counted.vectors[:] = 0
    np.testing.assert_array_equal(glove.vectors, before)


@pytest.mark.parametrize(
    ("given", "arguments", "message"),
    [
        ("glove.txt", {}, r"`vectors` must be an array of shape .* Received: 'glove.txt'"),
        ([[1, np.inf]], {}, r"`vectors` must hold finite numbers. Received: \[ 1. inf\] in row 0"),
        (np.zeros((3, 2)), {}, "all zeros"),
        (np.ones((3, 0)), {}, r"Received: shape \(3, 0\)"),
        (np.eye(2), {"remove_components": 2}, "below the width 2. Received: 2"),
        (np.eye(2), {"remove_components": -1}, "Received: -1"),
        (np.eye(2), {"remove_components": 0.5}, "Received: 0.5"),
        (np.eye(2), {"scale": 0}, "`scale` must be .* Received: 0"),
        (np.eye(2), {"scale": "long"}, "Received: 'long'"),
        (np.eye(2), {"scale": float("nan")}, "Received: nan"),
    ],
)
def test_what_cannot_be_processed(given, arguments, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.postprocess(given, **arguments)
