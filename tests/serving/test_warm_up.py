"""The requests that an export recorded, replayed before a version is served."""

import logging

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_bertembed.common import BertEmbedError
from tf_bertembed.export.warmup_replay import WARMUP
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore


def write_warm_up(folder, *logs):
    (folder / WARMUP).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def predict_log(text, signature="serving_default"):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    return log


def test_recorded_requests_are_replayed(base, tools, caplog, started):
    classify = prediction_log_pb2.PredictionLog()
    request = classify.classify_log.request
    request.model_spec.signature_name = "classify"
    example = request.input.example_list.examples.add()
    example.features.feature["text"].bytes_list.value.append(b"good")
    write_warm_up(base / "1", predict_log("a"), predict_log("1.5", "parse"), classify)
    with (
        caplog.at_level(logging.INFO, "tf_bertembed.serving"),
        started(ModelConfig("toy", base), poll_seconds=0),
    ):
        (record,) = [r for r in caplog.records if r.message == "version available"]
        assert record.fields["warm_up_requests"] == 3


def test_recorded_requests_of_other_kinds_do_not_keep_a_version_from_being_served(
    base, caplog, started
):
    regress, several = prediction_log_pb2.PredictionLog(), prediction_log_pb2.PredictionLog()
    request = regress.regress_log.request
    request.model_spec.signature_name = "classify"
    example = request.input.example_list.examples.add()
    example.features.feature["text"].bytes_list.value.append(b"good")
    several.multi_inference_log.request.tasks.add().model_spec.signature_name = "classify"
    unknown = prediction_log_pb2.PredictionLog()
    unknown.regress_log.request.model_spec.signature_name = "regress"
    write_warm_up(base / "1", regress, several, unknown)
    with (
        caplog.at_level(logging.INFO, "tf_bertembed.serving"),
        started(ModelConfig("toy", base), poll_seconds=0) as store,
    ):
        assert store.ready()
    kinds = [r.fields["kind"] for r in caplog.records if r.levelno == logging.WARNING]
    assert kinds == ["multi_inference_log", "regress_log"]


def test_a_version_whose_recorded_requests_fail_is_not_served(base):
    write_warm_up(base / "1", predict_log("a"), predict_log("no number", "parse"))
    with pytest.raises(BertEmbedError, match="StringToNumberOp could not correctly convert"):
        ModelStore([ModelConfig("toy", base)]).start()
    write_warm_up(base / "1", prediction_log_pb2.PredictionLog())
    with pytest.raises(BertEmbedError, match="Unsupported log_type for warmup"):
        ModelStore([ModelConfig("toy", base)]).start()
    (base / "1" / WARMUP).write_bytes(b"no records at all")
    with pytest.raises(BertEmbedError, match="verify your warmup data is in TFRecord format"):
        ModelStore([ModelConfig("toy", base)]).start()
