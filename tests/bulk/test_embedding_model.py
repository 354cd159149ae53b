import numpy as np
import pytest

from tf_bertembed.bulk.embedding_model import EmbeddingModel
from tf_bertembed.bulk.settings import ModelSettings
from tf_bertembed.common import BertEmbedError


@pytest.mark.parametrize("settings", [{}, {"max_pieces": 8, "streams": 2}], ids=["default", "cut"])
def test_vectors_as_the_transformer_has_them(settings, saved_model, texts, expected):
    vectors, failures, batches = EmbeddingModel(ModelSettings(saved_model, **settings)).embed(texts)
    assert not failures
    assert batches > (len(texts) // 2 if settings else 0)
    assert vectors.dtype == "float32"
    np.testing.assert_allclose(vectors, expected, atol=1e-6, rtol=0)


def test_what_is_no_text_is_told_and_stops_nothing(saved_model):
    model = EmbeddingModel(ModelSettings(saved_model, max_text_bytes=10))
    values = ["good", None, 7, "half \ud83d", "我住在北京", b"bytes", "also good"]
    vectors, failures, batches = model.embed(values)
    assert batches == 1
    assert np.isnan(vectors).all(axis=1).tolist() == [row in failures for row in range(7)]
    assert np.isfinite(vectors[[0, 6]]).all()
    assert {row: failure.reason for row, failure in failures.items()} == {
        1: "A string was expected. Received: a NoneType.",
        2: "A string was expected. Received: a int.",
        3: "The text holds half of a surrogate pair, '\\ud83d' at character 6, which UTF-8 cannot "
        "hold.",
        4: "At most 10 bytes were expected. Received: 15 bytes.",
        5: "A string was expected. Received: a bytes.",
    }
    assert failures[3].received == "half \\ud83d"


def test_no_text_at_all(saved_model):
    vectors, failures, batches = EmbeddingModel(ModelSettings(saved_model)).embed([None])
    assert (vectors.shape, list(failures), batches) == ((1, 8), [0], 0)


def test_one_bad_text_does_not_fail_its_batch(bad_text, fragile_model):
    model = EmbeddingModel(ModelSettings(fragile_model))
    values = ["abc", bad_text, "", bad_text, "five5"]
    vectors, failures, batches = model.embed(values)
    assert batches == 1
    assert vectors[[0, 2, 4]].tolist() == [[3, -3], [0, 0], [5, -5]]
    assert sorted(failures) == [1, 3]
    assert "this text is too much" in failures[1].reason
    assert failures[1].received == bad_text


@pytest.mark.parametrize("name", ["max_pieces", "streams", "threads", "max_text_bytes"])
def test_numbers_below_one(name):
    with pytest.raises(
        BertEmbedError, match=rf"`{name}` must be an int of at least 1\. Received: 0\."
    ):
        ModelSettings("somewhere", **{name: 0})
