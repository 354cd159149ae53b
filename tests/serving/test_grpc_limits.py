"""What one client of gRPC may ask for."""

import threading

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tf_bertembed.serving import Server
from tf_bertembed.serving.loaded_model import LoadedModel
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore
from tf_bertembed.serving.rest import Limits

LIMIT = 60


@pytest.fixture
def stub(base):
    limits = Limits(body_bytes=10_000, buffered_bytes=10_000, rows=5, answer_values=14)
    store = ModelStore([ModelConfig("toy", base)], poll_seconds=0)
    with (
        Server(store, rest_port=0, grpc_port=0, limits=limits) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(texts):
    made = predict_pb2.PredictRequest()
    made.model_spec.name = "toy"
    made.inputs["text"].CopyFrom(tf.make_tensor_proto(texts))
    return made


def problem(method, message):
    with pytest.raises(grpc.RpcError) as raised:
        method(message, timeout=LIMIT)
    return raised.value.code().name, raised.value.details()


def test_many_rows(stub):
    five = request(["a"] * 5)
    five.output_filter.append("upper")
    assert stub.Predict(five, timeout=LIMIT).outputs["upper"].string_val
    refused = (
        "INVALID_ARGUMENT",
        "The request has 6 rows; this server takes at most 5. Send it in parts.",
    )
    assert problem(stub.Predict, request(["a"] * 6)) == refused
    message = classification_pb2.ClassificationRequest()
    message.model_spec.name, message.model_spec.signature_name = "toy", "classify"
    for _ in range(6):
        message.input.example_list.examples.add()
    assert problem(stub.Classify, message) == refused


def test_an_answer_of_many_values(stub):
    """Three rows have 3 x 1 + 3 x 3 values, four have 16; classes and scores 6 a row."""
    assert len(stub.Predict(request(["a"] * 3), timeout=LIMIT).outputs["vector"].float_val) == 9
    code, details = problem(stub.Predict, request(["a"] * 4))
    assert (code, details) == (
        "RESOURCE_EXHAUSTED",
        "The answer holds 16 values; this server writes at most 14. Send fewer rows at a time, "
        "and texts of about the same length together.",
    )
    message = classification_pb2.ClassificationRequest()
    message.model_spec.name, message.model_spec.signature_name = "toy", "classify"
    for rows in (1, 2, 3):
        example = message.input.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(b"good")
        if rows < 3:
            answer = stub.Classify(message, timeout=LIMIT)
            assert len(answer.result.classifications) == rows
    code, details = problem(stub.Classify, message)
    assert code == "RESOURCE_EXHAUSTED"
    assert details.startswith("The answer holds 18 values; this server writes at most 14.")


@pytest.mark.parametrize("shape", [[2**20], [1, 2**20], [4097]])
def test_a_few_bytes_that_claim_a_huge_shape(stub, shape):
    message = request(["a"])
    message.inputs["text"].tensor_shape.Clear()
    for size in shape:
        message.inputs["text"].tensor_shape.dim.add(size=size)
    assert problem(stub.Predict, message) == ("INVALID_ARGUMENT", "tensor parsing error: text")


def test_a_message_that_is_too_large(stub):
    code, _ = problem(stub.Predict, request(["x" * 10_000]))
    assert code == "RESOURCE_EXHAUSTED"


def test_messages_that_are_too_large_together(stub, monkeypatch):
    running, go_on, compute = threading.Event(), threading.Event(), LoadedModel.compute

    def slow(*arguments):
        running.set()
        assert go_on.wait(LIMIT)
        return compute(*arguments)

    monkeypatch.setattr(LoadedModel, "compute", slow)
    first = stub.Predict.future(request(["x" * 6000]), timeout=LIMIT)
    assert running.wait(LIMIT)
    try:
        code, details = problem(stub.Predict, request(["y" * 6000]))
        assert code == "UNAVAILABLE"
        assert "hold 10000 bytes, the most that this server takes at a time" in details
    finally:
        go_on.set()
    assert list(first.result().outputs["upper"].string_val) == [b"X" * 6000]
    # What was answered leaves room for the next.
    assert stub.Predict(request(["y" * 6000]), timeout=LIMIT).outputs["upper"].string_val


def test_bytes_that_are_no_message(base):
    store = ModelStore([ModelConfig("toy", base)], poll_seconds=0)
    with (
        Server(store, rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        assert problem(call, b"\xff" * 10) == ("INVALID_ARGUMENT", "The message cannot be read.")
