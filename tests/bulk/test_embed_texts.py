import apache_beam as beam
import numpy as np
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.testing.util import assert_that
from apache_beam.transforms.util import BatchElements

from tf_bertembed import bulk
from tf_bertembed.bulk.model_handler import WINDOW_BYTES
from tf_bertembed.common import BertEmbedError


def counters(result):
    found = result.metrics().query()["counters"]
    found = [one for one in found if one.key.metric.namespace == "tf_bertembed.bulk"]
    names = [one.key.metric.name for one in found]
    assert len(names) == len(set(names))
    return {one.key.metric.name: one.result for one in found}


def gathered(check):
    """A check of the elements of a collection, which come in no order."""
    return lambda elements: check(list(elements))


def test_plain_strings(saved_model, texts, expected):
    def check(results):
        found = {result.example: result.inference for result in results}
        assert sorted(found) == sorted(texts)
        got = np.array([found[one] for one in texts])
        np.testing.assert_allclose(got, expected, atol=1e-6, rtol=0)

    with beam.Pipeline("FnApiRunner") as pipeline:
        handler = bulk.SavedModelHandler(saved_model.parent)
        results = pipeline | beam.Create(texts) | RunInference(handler)
        assert_that(results, gathered(check))


def test_keys_failures_and_counters(bad_text, fragile_model):
    texts = {"a": "abc", "b": bad_text, "c": None, "d": "x" * 50, "e": "é"}

    def check_vectors(pairs):
        found = {key: vector.tolist() for key, vector in pairs}
        assert found == {"a": [3, -3], "e": [2, -2]}

    def check_failed(pairs):
        reasons = {key: failure.reason for key, failure in pairs}
        assert sorted(reasons) == ["b", "c", "d"]
        assert "too much" in reasons["b"]
        assert "a NoneType" in reasons["c"]
        assert "At most 40 bytes" in reasons["d"]

    pipeline = beam.Pipeline("FnApiRunner")
    done = (
        pipeline
        | beam.Create(list(texts.items()))
        | bulk.EmbedTexts(fragile_model, max_text_bytes=40)
    )
    assert_that(done.embeddings, gathered(check_vectors), label="vectors")
    assert_that(done.failed, gathered(check_failed), label="failed")
    result = pipeline.run()
    result.wait_until_finish()
    counts = counters(result)
    assert (counts["texts"], counts["failed"], counts["batches"]) == (2, 3, 1)
    assert counts["bytes"] == len("abc") + len("é".encode())
    assert counts["num_inferences"] == 5


def test_batches_hold_no_more_than_a_window(saved_model):
    handler = KeyedModelHandler(bulk.SavedModelHandler(saved_model))
    sizes = [10, WINDOW_BYTES // 2, WINDOW_BYTES // 2, 3 * WINDOW_BYTES, 10, 10]
    rows = [(number, "x" * size) for number, size in enumerate(sizes)]

    def check(batches):
        # The first is not empty though a text is larger than a window.
        numbers = [[number for number, _ in batch] for batch in batches]
        assert numbers == [[0, 1], [2], [3], [4, 5]]

    with beam.Pipeline("FnApiRunner") as pipeline:
        batches = (
            pipeline
            | beam.Create([rows])
            | beam.FlatMap(list)
            | BatchElements(**handler.batch_elements_kwargs())
        )
        assert_that(batches, gathered(check))


def test_sizes_of_batches(saved_model):
    handler = bulk.SavedModelHandler(saved_model)
    assert handler.get_num_bytes(["abc", "é", None, "\ud83d"]) == 3 + 2 + 0 + 3
    size = handler.batch_elements_kwargs()["element_size_fn"]
    assert size("") == size(("key", "")) == size(None) == 64
    assert size(("key", "我" * 100)) == 300


def test_the_model_takes_no_arguments(saved_model):
    handler = bulk.SavedModelHandler(saved_model)
    handler.validate_inference_args(None)
    with pytest.raises(BertEmbedError, match=r"no `inference_args`.*temperature"):
        RunInference(handler, inference_args={"temperature": 1}).expand(None)


def test_sharing_is_a_choice(saved_model):
    assert not bulk.SavedModelHandler(saved_model).share_model_across_processes()
    assert bulk.SavedModelHandler(saved_model, large_model=True).share_model_across_processes()
