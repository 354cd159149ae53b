import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError


def distances(matrix):
    return np.linalg.norm(matrix[:, None] - matrix[None], axis=-1)


def test_a_wider_projection_keeps_distances_and_zeros(vectors):
    wider = models.project(vectors, 128)
    assert wider.shape == (len(vectors), 128)
    assert wider.dtype == np.float32
    np.testing.assert_allclose(distances(wider), distances(vectors), atol=1e-4)
    assert not wider[0].any()


@pytest.mark.parametrize("method", ["orthogonal", "pca"])
@pytest.mark.parametrize("width", [50, 51, 128])
def test_by_name_to_the_same_or_a_larger_width(vectors, method, width):
    moved = models.project(vectors, width, method=method)
    assert moved.shape == (len(vectors), width)
    np.testing.assert_allclose(distances(moved), distances(vectors), atol=1e-4)
    assert not moved[0].any()
    assert np.abs(moved[:, :50] - vectors).max() > 0.1


def test_by_default_vectors_of_the_width_wanted_stay_as_they_are(vectors):
    np.testing.assert_array_equal(models.project(vectors, 50), vectors.astype(np.float32))


def test_a_narrower_projection_keeps_what_a_linear_map_can(vectors):
    narrower = models.project(vectors, 10)
    assert narrower.shape == (len(vectors), 10)
    assert not narrower[0].any()
    centred = vectors - vectors.mean(axis=0)
    kept = (narrower - narrower.mean(axis=0)).var(axis=0).sum()
    values = np.linalg.svd(centred, compute_uv=False) ** 2 / len(vectors)
    assert kept == pytest.approx(values[:10].sum(), rel=1e-4)


def test_fewer_vectors_than_the_width(vectors):
    few = vectors[:4]
    narrower = models.project(few, 10)
    assert narrower.shape == (4, 10)
    np.testing.assert_allclose(distances(narrower), distances(few), atol=1e-4)


def test_principal_components_lengthen_no_distance_and_random_ones_keep_the_mean(vectors):
    before = distances(vectors)
    assert (distances(models.project(vectors, 10, method="pca")) <= before + 1e-4).all()
    np.testing.assert_array_equal(
        models.project(vectors, 10), models.project(vectors, 10, method="pca")
    )
    drawn = [
        distances(models.project(vectors, 10, seed, method="orthogonal")) for seed in range(200)
    ]
    away = before > 0
    ratio = np.square(drawn).mean(axis=0)[away] / before[away] ** 2
    assert abs(ratio.mean() - 1) < 0.02
    assert not models.project(vectors, 10, method="orthogonal")[0].any()


def test_the_seed_chooses_the_projection(vectors):
    first, second, other = (models.project(vectors, 64, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize(
    ("matrix", "width", "method", "message"),
    [
        (np.zeros(3), 2, None, r"shape \[V, S\], a row a vector\. Received shape: \(3,\)"),
        (np.zeros((3, 0)), 2, None, r"Received shape: \(3, 0\)"),
        (np.ones((3, 2)), 0, None, r"`width` must be an int of at least 1\. Received: 0\."),
        (np.ones((3, 2)), 2.5, None, r"Received: 2\.5\."),
        (np.ones((3, 2)), 2, "svd", r"one of 'orthogonal', 'pca', or None\. Received: 'svd'"),
    ],
)
def test_what_cannot_be_projected(matrix, width, method, message):
    with pytest.raises(BertEmbedError, match=message):
        models.project(matrix, width, method=method)
