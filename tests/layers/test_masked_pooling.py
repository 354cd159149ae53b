import numpy as np
import pytest

from tf_bertembed import layers
from tf_bertembed.common import BertEmbedError

X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32") - 3
MASK = np.array([[True] * 4, [True, True, False, False], [False] * 4])


@pytest.mark.parametrize(("mode", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_pools_over_the_mask_only(mode, reduce):
    pooled = np.asarray(layers.MaskedPooling(mode)(X, MASK))
    expected = [reduce(row[mask], axis=0) for row, mask in zip(X[:2], MASK[:2], strict=True)]
    np.testing.assert_allclose(pooled[:2], expected, rtol=1e-6)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_nothing_to_pool_gives_zeros(mode):
    assert not np.asarray(layers.MaskedPooling(mode)(X, MASK))[2].any()


def test_cls_is_the_first_piece():
    np.testing.assert_array_equal(layers.MaskedPooling("cls")(X, MASK), X[:, 0])


def test_a_long_mean_in_half_precision():
    # The sum of 60,000 ones leaves float16's range at 65,504.
    x = np.full((1, 600, 2), 200, "float16")
    pooled = layers.MaskedPooling("mean", dtype="mixed_float16")(x, np.ones((1, 600), bool))
    assert pooled.dtype == "float16"
    np.testing.assert_array_equal(pooled, [[200, 200]])


def test_unknown_mode():
    with pytest.raises(BertEmbedError, match=r"`pooling` must be one of .*Received: 'sum'"):
        layers.MaskedPooling("sum")
