import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError

TABLE = np.concatenate([np.zeros((1, 6)), np.random.default_rng(0).normal(size=(12, 6))])


def test_input_fusion_changes_nothing_at_first(randomised, features):
    plain = randomised(norm_first=True, embedding_dim=4)
    batch = features()
    without = {key: value for key, value in batch.items() if key != "static_ids"}
    fused = models.with_fusion(plain, TABLE, input_fusion="gate")
    for key, value in plain(without).items():
        np.testing.assert_allclose(fused(batch)[key], value, atol=1e-6)
    np.testing.assert_array_equal(fused.static_embedding.vectors, TABLE.astype("float32"))


def test_the_copy_stands_alone(randomised, features):
    plain = randomised()
    before = plain.get_weights()
    fused = models.with_fusion(plain, TABLE, output_fusion="concat", dropout=0.4)
    assert (fused.output_dim, fused.dropout, plain.dropout) == (14, 0.4, 0.1)
    for variable in fused.trainable_variables:
        variable.assign(variable * 2)
    for old, new in zip(before, plain.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_what_cannot_be_fused(small):
    with pytest.raises(BertEmbedError, match=r"has word vectors already.*input_fusion='add'"):
        models.with_fusion(small(input_fusion="add"), TABLE, output_fusion="concat")
    plain = small()
    with pytest.raises(BertEmbedError, match="nothing reads it"):
        models.with_fusion(plain, TABLE)
    with pytest.raises(
        BertEmbedError, match=r"\[W \+ 1, S\] was expected\. Received: shape \(6,\)"
    ):
        models.with_fusion(plain, TABLE[0], input_fusion="add")
    with pytest.raises(BertEmbedError, match="must be zeros"):
        models.with_fusion(plain, TABLE + 1, input_fusion="add")


def test_what_with_fusion_cannot_choose_is_named():
    plain = models.BertEmbedBackbone(20, 1, 2, 8, 16, max_sequence_length=8)
    table = np.array([[0.0, 0.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"Received: \['frob'\]"):
        models.with_fusion(plain, table, output_fusion="concat", frob=3)
    with pytest.raises(ValueError, match="pass the matrix"):
        models.with_fusion(plain, (["word"], table), output_fusion="concat")
