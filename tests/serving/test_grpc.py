"""Predict over gRPC, asked with the stubs of tensorflow-serving-api."""

import shutil

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tf_bertembed.serving import Server
from tf_bertembed.serving.batching_parameters import BatchingParameters
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

LIMIT = 60


def test_predict(served, predict_request, spec):
    response = served.predict.Predict(predict_request({"text": ["a", "我"]}), timeout=LIMIT)
    assert response.model_spec == spec(signature="serving_default", version=2)
    upper, vector = response.outputs["upper"], response.outputs["vector"]
    # The fields of their types, where clients of every language look.
    assert list(upper.string_val) == [b"A", "我".encode()]
    assert list(vector.float_val) == [1, 2, 3, 3, 6, 9]
    assert tf.make_ndarray(vector).shape == (2, 3)


def test_versions_and_labels(served, predict_request):
    for chosen, version in (({}, 2), ({"version": 1}, 1), ({"label": "stable"}, 1)):
        response = served.predict.Predict(predict_request({"text": ["a"]}, **chosen), timeout=LIMIT)
        assert response.model_spec.version.value == version


def test_only_the_outputs_that_are_asked_for(served, predict_request, fails):
    message = predict_request({"text": ["a"]}, ["upper"])
    assert served.predict.Predict(message, timeout=LIMIT).outputs.keys() == {"upper"}
    message.output_filter.append("upper")
    fails(
        served.predict.Predict,
        message,
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: upper",
    )
    message.output_filter[:] = ["lower"]
    fails(
        served.predict.Predict,
        message,
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: lower Outputs expected to be in the set "
        "{upper,vector}.",
    )


def test_inputs_of_every_type(served, predict_request):
    inputs = {
        "small": np.array([1, 255], "uint8"),
        "whole": np.array(-(2**40)),
        "flags": np.array([[True, False]]),
    }
    outputs = served.predict.Predict(
        predict_request(inputs, signature="kinds"), timeout=LIMIT
    ).outputs
    for name, array in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(outputs[name]), array)
        assert tf.make_ndarray(outputs[name]).dtype == array.dtype
    assert list(outputs["small"].int_val) == [1, 255]
    np.testing.assert_array_equal(tf.make_ndarray(outputs["half"]), np.array([1, 255], "float16"))
    assert list(outputs["double"].double_val) == [1, 255]
    x = np.array([[1, 2]], "float32")
    response = served.predict.Predict(predict_request({"x": x}, signature="half"), timeout=LIMIT)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), x / 2 + 2)


@pytest.mark.parametrize(
    ("inputs", "chosen", "code", "details"),
    [
        ({}, {"name": "no"}, "NOT_FOUND", "Servable not found for request: Latest(no)"),
        (
            {},
            {"version": 9},
            "NOT_FOUND",
            "Servable not found for request: Specific(toy, 9)",
        ),
        ({}, {"label": "x"}, "INVALID_ARGUMENT", "Unrecognized servable version label: x"),
        ({}, {"name": ""}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (
            {},
            {"signature": "no"},
            "FAILED_PRECONDITION",
            'Serving signature key "no" not found.',
        ),
        (
            {},
            {},
            "INVALID_ARGUMENT",
            "input size does not match signature: 0!=1 len({}) != len({text}). Sent extra: {}. "
            "Missing but required: {text}.",
        ),
        (
            {"text": [1.5]},
            {},
            "INVALID_ARGUMENT",
            "Expects arg[0] to be string but float is provided",
        ),
        (
            {"text": "scalar"},
            {},
            "INVALID_ARGUMENT",
            "Input 'text' must have shape [?]. Received: []",
        ),
    ],
)
def test_bad_requests_in_their_words(served, inputs, chosen, code, details, predict_request, fails):
    fails(served.predict.Predict, predict_request(inputs, **chosen), code, details)


def test_an_error_that_quotes_a_long_name_arrives(served, predict_request):
    with pytest.raises(grpc.RpcError) as raised:
        served.predict.Predict(predict_request({}, label="我" * 10000), timeout=LIMIT)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details().startswith("Unrecognized servable version label: 我我")


def test_messages_that_are_no_tensors(served, predict_request, fails):
    message = predict_request({"text": ["a"]})
    message.inputs["text"].tensor_shape.dim[0].size = 10**12
    details = "tensor parsing error: text"
    fails(served.predict.Predict, message, "INVALID_ARGUMENT", details)
    message.inputs["text"].tensor_shape.dim[0].size = -1
    fails(served.predict.Predict, message, "INVALID_ARGUMENT", details)
    message.inputs["text"].Clear()
    fails(served.predict.Predict, message, "INVALID_ARGUMENT", details)
    fails(
        served.predict.Predict,
        predict_pb2.PredictRequest(),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )


def test_an_error_of_the_graph(served, predict_request):
    with pytest.raises(grpc.RpcError) as raised:
        served.predict.Predict(predict_request({"text": ["x"]}, signature="parse"), timeout=LIMIT)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "could not correctly convert string: x" in raised.value.details()
    assert "Traceback" not in raised.value.details()


def test_a_deadline_ends_the_wait_for_a_batch(toy, tmp_path, tools, predict_request):
    shutil.copytree(toy, tmp_path / "toy" / "1")
    batching = BatchingParameters(max_batch_size=2, batch_timeout_micros=60_000_000)
    store = ModelStore([ModelConfig("toy", tmp_path / "toy")], 0, batching)
    with (
        Server(store, rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(predict_request({"text": ["x"]}), timeout=0.2)
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        # Nor does the server wait any longer.
        labels = {"model": "toy", "version": "1", "signature": "serving_default"}
        labels |= {"api": "grpc", "method": "predict", "status": "DEADLINE_EXCEEDED"}
        counted = server.statistics.registry.get_sample_value
        tools.until(lambda: counted("tf_bertembed_requests_total", labels) == 1)
