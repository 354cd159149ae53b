import numpy as np
import pytest
from scipy.optimize import brentq

from tf_bertembed.vectors.mixing import sparse_weights
from tf_bertembed.vectors.mixing.sparse_weights import mix_by_sparsemax, mix_nearest, sparsemax

RNG = np.random.default_rng(3)


def projected(scores):
    """The nearest point of the simplex, its threshold found by a root finder."""
    found = brentq(
        lambda level: np.maximum(scores - level, 0).sum() - 1,
        scores.min() - 1,
        scores.max(),
        xtol=1e-15,
    )
    return np.maximum(scores - found, 0)


@pytest.mark.parametrize("spread", [0.01, 0.3, 1, 30])
def test_sparsemax_is_the_projection_on_the_simplex(spread):
    scores = RNG.normal(size=(20, 50)) * spread
    np.testing.assert_allclose(sparsemax(scores), [projected(row) for row in scores], atol=1e-12)


def test_sparsemax_of_equals_and_of_one():
    np.testing.assert_allclose(sparsemax([[2.0, 2.0, 2.0, 2.0]]), [[0.25] * 4])
    np.testing.assert_allclose(sparsemax([[-7.0]]), [[1.0]])


@pytest.mark.parametrize("likeness", [0.0, 0.9, 0.999])
def test_a_mix_by_sparsemax_looks_at_as_many_anchors_as_it_needs(likeness, monkeypatch):
    # The more alike all anchors are, the more of them have weight: 2 to 500 of 500.
    monkeypatch.setattr(sparse_weights, "BLOCK", 7)
    common = RNG.normal(size=6)
    rows, anchors = (
        likeness * common + (1 - likeness) * RNG.normal(size=(size, 6)) for size in (17, 500)
    )
    cosines = rows @ anchors.T
    cosines /= np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(anchors, axis=1)
    weights = mix_by_sparsemax(rows, anchors)
    np.testing.assert_allclose(weights.toarray(), sparsemax(cosines), atol=2e-6)
    assert (weights.data > 0).all()


def test_the_nearest_are_weighed_by_softmax():
    rows, anchors = RNG.normal(size=(4, 5)), RNG.normal(size=(30, 5))
    weights = mix_nearest(rows, anchors, neighbours=3, temperature=0.5).toarray()
    for row, found in zip(rows, weights, strict=True):
        cosines = anchors @ row / np.linalg.norm(anchors, axis=1) / np.linalg.norm(row)
        nearest = np.argsort(-cosines)[:3]
        expected = np.zeros(30)
        expected[nearest] = np.exp(cosines[nearest] / 0.5)
        np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-6)


def test_fewer_anchors_than_neighbours():
    weights = mix_nearest(RNG.normal(size=(2, 4)), RNG.normal(size=(3, 4)), neighbours=10)
    assert weights.shape == (2, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_a_row_of_zeros_is_as_near_to_all():
    np.testing.assert_allclose(mix_by_sparsemax(np.zeros((1, 2)), np.eye(2)).toarray(), [[0.5] * 2])
