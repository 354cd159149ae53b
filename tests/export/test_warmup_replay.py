"""Warm-up requests written with the official protos are run, and what is wrong is said."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_bertembed.export import CApiModel
from tf_bertembed.export.warmup_replay import MOST_RECORDS, WARMUP, replay


class Served(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def length(self, text):
        return {"length": tf.strings.length(text)}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=n) for n in ("text_a", "text_b")]
    )
    def joined(self, text_a, text_b):
        return {"number": tf.strings.to_number(text_a + text_b)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        parsed = tf.io.parse_example(inputs, {"text": tf.io.FixedLenFeature([], tf.string)})
        return {"classes": parsed["text"][:, tf.newaxis]}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    module = Served()
    signatures = {
        "serving_default": module.length,
        "joined": module.joined,
        "classify": module.classify,
    }
    tf.saved_model.save(module, str(folder), signatures)
    (folder / WARMUP).parent.mkdir()
    with CApiModel(folder) as loaded:
        yield loaded


@pytest.fixture
def replayed(model):
    def run(*records):
        with tf.io.TFRecordWriter(str(model.path / WARMUP)) as writer:
            for record in records:
                writer.write(record if isinstance(record, bytes) else record.SerializeToString())
        return replay(model)

    yield run
    (model.path / WARMUP).unlink(missing_ok=True)


def predict(signature="", **inputs):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return log


def classify(*texts):
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.model_spec.signature_name = "classify"
    for text in texts:
        example = log.classify_log.request.input.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(text.encode())
    return log


def test_requests_of_both_kinds_are_answered(replayed):
    found = replayed(
        predict(text=["a", "我" * 60]),
        predict("joined", text_a=["1", "2"], text_b=["0", "0"]),
        # TensorFlow stores equal strings once.
        predict(text=["same"] * 8),
        classify("a", "b", ""),
    )
    assert (found["requests"], found["problems"], found["notes"]) == (4, [], [])
    assert 0 < found["slowest_seconds"] <= found["seconds"]
    assert found["slowest"].startswith("request ")


def test_what_a_server_would_refuse_is_a_problem(replayed):
    other = prediction_log_pb2.PredictionLog()
    short = predict(text=["a", "b"])
    short.predict_log.request.inputs["text"].tensor_shape.dim[0].size = 1
    found = replayed(
        predict(text=["a"]),
        predict("joined", text_a=["one"], text_b=[""]),
        predict("gone", text=["a"]),
        predict(texts=["a"]),
        short,
        other,
        b"\xff\xff",
    )
    assert found["requests"] == 1
    reasons = (
        ("Warm-up request 2, 1 to 'joined', fails: ", "could not correctly convert string"),
        ("Warm-up request 3, 1 to 'gone', fails: ", "has the signatures"),
        ("Warm-up request 4, 1 to 'serving_default', fails: ", "takes text. Received: texts"),
        ("Warm-up request 5 fails: ", "its input 'text' holds 2 strings for 1"),
        ("Warm-up request 6 fails: ", "it asks nothing"),
        (f"{WARMUP}: record 7 is no PredictionLog", ""),
    )
    assert len(found["problems"]) == len(reasons)
    for problem, (beginning, reason) in zip(found["problems"], reasons, strict=True):
        assert problem.startswith(beginning)
        assert reason in problem


def test_what_cannot_be_run_here_is_said(replayed):
    regress = prediction_log_pb2.PredictionLog()
    regress.regress_log.request.model_spec.name = "m"
    found = replayed(predict(text=[1, 2]), predict(text=[["a"]]), regress)
    assert (found["requests"], found["problems"]) == (0, [])
    assert found["notes"] == [
        "Warm-up request 1 was not run: its input 'text' is no list of strings.",
        "Warm-up request 2 was not run: its input 'text' is no list of strings.",
        "Warm-up request 3 was not run: it is a regress_log.",
    ]


def test_more_requests_than_a_server_takes(replayed):
    record = predict(text=["a"]).SerializeToString()
    assert replayed(*[record] * MOST_RECORDS)["problems"] == []
    found = replayed(*[record] * (MOST_RECORDS + 1))
    assert found["problems"] == [
        f"{WARMUP} holds more than 1000 requests, the most a server takes."
    ]


def test_a_damaged_or_empty_or_missing_file(model, replayed):
    assert replay(model) is None
    assert replayed()["notes"] == [f"{WARMUP} is empty."]
    (model.path / WARMUP).write_bytes(b"\x00" * 40)
    assert replay(model)["problems"] == [
        f"{WARMUP}: Record 1 is damaged: its length does not fit its checksum."
    ]
