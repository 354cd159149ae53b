import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError


def distances(matrix):
    return np.linalg.norm(matrix[:, None] - matrix[None], axis=-1)


def test_own_scale_keeps_lengths(small, vectors):
    backbone = small(vocabulary_size=len(vectors), hidden_dim=64)
    models.warm_start(backbone, vectors, scale="own")
    table = backbone.token_embedding.embeddings.numpy()
    np.testing.assert_allclose(
        np.linalg.norm(table, axis=1), np.linalg.norm(vectors, axis=1), rtol=1e-4
    )


@pytest.mark.parametrize(("given", "deviation"), [({}, 1.6), ({"scale": 0.02}, 0.02)])
def test_a_scale(given, deviation, small, vectors):
    backbone = small(vocabulary_size=len(vectors), hidden_dim=64)
    models.warm_start(backbone, vectors, **given)
    table = backbone.token_embedding.embeddings.numpy()
    assert table.std() == pytest.approx(deviation, rel=1e-4)
    ratio = distances(table) / distances(vectors).clip(1e-9)
    np.testing.assert_allclose(ratio[~np.eye(len(table), dtype=bool)], ratio[0, 1], rtol=1e-3)


def test_other_tables_are_left_alone_unless_asked(small, vectors):
    backbone = small(vocabulary_size=len(vectors), hidden_dim=64, num_tags=3)
    tables = [
        backbone.position_embedding.position_embeddings,
        backbone.segment_embedding.embeddings,
        backbone.tag_embedding.embeddings,
    ]
    before = [table.numpy() for table in tables]
    models.warm_start(backbone, vectors)
    for table, old in zip(tables, before, strict=True):
        np.testing.assert_array_equal(table, old)
    models.warm_start(backbone, vectors, balance=True)
    deviation = backbone.token_embedding.embeddings.numpy().std()
    assert deviation > 0.1
    for table, old in zip(tables, before, strict=True):
        assert table.numpy().std() == pytest.approx(deviation, rel=1e-4)
        np.testing.assert_allclose(table, old * (deviation / old.std()), rtol=1e-4)
    # Lowering the tokens leaves the others alone.
    models.warm_start(backbone, vectors, scale=0.02, balance=True)
    assert tables[0].numpy().std() == pytest.approx(deviation, rel=1e-4)


def test_a_factorised_table_is_measured_behind_its_projection(small, vectors):
    backbone = small(
        vocabulary_size=len(vectors),
        hidden_dim=64,
        embedding_dim=50,
        position_embedding="sinusoidal",
    )
    models.warm_start(backbone, vectors, scale="own", balance=True)
    np.testing.assert_allclose(backbone.token_embedding.embeddings, vectors, rtol=1e-5)
    reached = vectors @ backbone.token_projection.kernel.numpy()
    segments = backbone.segment_embedding.embeddings.numpy()
    assert segments.std() == pytest.approx(reached.std(), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda m: m[:-1], {}, r"expected shape \(\d+, S\)\. Received: \(\d+, 50\)"),
        (lambda m: m[:, 0], {}, r"expected shape .* Received: \(\d+,\)"),
        (lambda m: m * 0, {}, "not all zeros"),
        (lambda m: m * np.nan, {}, "must be finite"),
        (lambda m: m, {"scale": 0}, r"`scale` must be 'own' or positive\. Received: 0"),
        (lambda m: m, {"scale": -1.0}, "Received: -1.0"),
        (lambda m: m, {"scale": "big"}, "Received: 'big'"),
        (lambda m: m, {"scale": None}, "Received: None"),
        (lambda m: m, {"scale": float("inf")}, "Received: inf"),
    ],
)
def test_what_does_not_fit(change, arguments, message, small, vectors):
    backbone = small(vocabulary_size=len(vectors), num_layers=1)
    before = backbone.token_embedding.embeddings.numpy()
    with pytest.raises(BertEmbedError, match=message):
        models.warm_start(backbone, change(vectors), **arguments)
    np.testing.assert_array_equal(backbone.token_embedding.embeddings, before)
