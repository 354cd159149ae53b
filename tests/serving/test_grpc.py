"""The gRPC services, asked with the stubs of tensorflow-serving-api."""

import shutil
import types

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import wrappers_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, REGRESS_METHOD
from tf_bertembed.serving import Server
from tf_bertembed.serving.batching_parameters import BatchingParameters
from tf_bertembed.serving.model_config import ModelConfig, VersionPolicy
from tf_bertembed.serving.model_store import ModelStore

LIMIT = 60


@pytest.fixture(scope="module")
def served(toy, tmp_path_factory):
    base = tmp_path_factory.mktemp("served") / "toy"
    for number in ("1", "2"):
        shutil.copytree(toy, base / number)
    config = ModelConfig("toy", base, {"stable": 1}, VersionPolicy(every=True))
    with (
        Server(ModelStore([config], poll_seconds=0), rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        yield types.SimpleNamespace(
            base=base,
            channel=channel,
            predict=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            models=model_service_pb2_grpc.ModelServiceStub(channel),
        )


def spec(name="toy", signature="", version=None, label=None):
    made = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        made.version.value = version
    if label is not None:
        made.version_label = label
    return made


def request(inputs, output_filter=(), **chosen):
    made = predict_pb2.PredictRequest(model_spec=spec(**chosen), output_filter=output_filter)
    for name, value in inputs.items():
        made.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return made


def fails(method, message, code, details):
    with pytest.raises(grpc.RpcError) as raised:
        method(message, timeout=LIMIT)
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode[code], details)


def test_predict(served):
    response = served.predict.Predict(request({"text": ["a", "我"]}), timeout=LIMIT)
    assert response.model_spec == spec(signature="serving_default", version=2)
    upper, vector = response.outputs["upper"], response.outputs["vector"]
    # The fields of their types, where clients of every language look.
    assert list(upper.string_val) == [b"A", "我".encode()]
    assert list(vector.float_val) == [1, 2, 3, 3, 6, 9]
    assert tf.make_ndarray(vector).shape == (2, 3)


def test_versions_and_labels(served):
    for chosen, version in (({}, 2), ({"version": 1}, 1), ({"label": "stable"}, 1)):
        response = served.predict.Predict(request({"text": ["a"]}, **chosen), timeout=LIMIT)
        assert response.model_spec.version.value == version


def test_only_the_outputs_that_are_asked_for(served):
    message = request({"text": ["a"]}, ["upper"])
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


def test_inputs_of_every_type(served):
    inputs = {
        "small": np.array([1, 255], "uint8"),
        "whole": np.array(-(2**40)),
        "flags": np.array([[True, False]]),
    }
    outputs = served.predict.Predict(request(inputs, signature="kinds"), timeout=LIMIT).outputs
    for name, array in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(outputs[name]), array)
        assert tf.make_ndarray(outputs[name]).dtype == array.dtype
    assert list(outputs["small"].int_val) == [1, 255]
    np.testing.assert_array_equal(tf.make_ndarray(outputs["half"]), np.array([1, 255], "float16"))
    assert list(outputs["double"].double_val) == [1, 255]
    x = np.array([[1, 2]], "float32")
    response = served.predict.Predict(request({"x": x}, signature="half"), timeout=LIMIT)
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
def test_bad_requests_in_their_words(served, inputs, chosen, code, details):
    fails(served.predict.Predict, request(inputs, **chosen), code, details)


def test_an_error_that_quotes_a_long_name_arrives(served):
    with pytest.raises(grpc.RpcError) as raised:
        served.predict.Predict(request({}, label="我" * 10000), timeout=LIMIT)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details().startswith("Unrecognized servable version label: 我我")


def test_messages_that_are_no_tensors(served):
    message = request({"text": ["a"]})
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


def test_an_error_of_the_graph(served):
    with pytest.raises(grpc.RpcError) as raised:
        served.predict.Predict(request({"text": ["x"]}, signature="parse"), timeout=LIMIT)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "could not correctly convert string: x" in raised.value.details()
    assert "Traceback" not in raised.value.details()


def test_a_deadline_ends_the_wait_for_a_batch(toy, tmp_path, tools):
    shutil.copytree(toy, tmp_path / "toy" / "1")
    batching = BatchingParameters(max_batch_size=2, batch_timeout_micros=60_000_000)
    store = ModelStore([ModelConfig("toy", tmp_path / "toy")], 0, batching)
    with (
        Server(store, rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(request({"text": ["x"]}), timeout=0.2)
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        # Nor does the server wait any longer.
        labels = {"model": "toy", "version": "1", "signature": "serving_default"}
        labels |= {"api": "grpc", "method": "predict", "status": "DEADLINE_EXCEEDED"}
        counted = server.statistics.registry.get_sample_value
        tools.until(lambda: counted("tf_bertembed_requests_total", labels) == 1)


def fill(message, *texts):
    for text in texts:
        example = message.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(text.encode())


def test_classify(served):
    message = classification_pb2.ClassificationRequest(model_spec=spec(signature="classify"))
    fill(message.input, "bad", "other")
    response = served.predict.Classify(message, timeout=LIMIT)
    assert response.model_spec == spec(signature="classify", version=2)
    found = [
        {one.label: one.score for one in row.classes} for row in response.result.classifications
    ]
    assert found == [
        {"none": 0, "good": 0, "bad": 1},
        {"none": 1, "good": 0, "bad": 0},
    ]
    # A context holds what all examples share.
    both = message.input.example_list_with_context
    both.context.features.feature["text"].bytes_list.value.append(b"good")
    both.examples.add()
    (row,) = served.predict.Classify(message, timeout=LIMIT).result.classifications
    assert [one.score for one in row.classes] == [0, 1, 0]


def test_what_cannot_be_classified_or_regressed(served):
    message = classification_pb2.ClassificationRequest(model_spec=spec(signature="classify"))
    fails(served.predict.Classify, message, "INVALID_ARGUMENT", "Input is empty.")
    fill(message.input, "good")
    for chosen, details in (
        (
            spec(),
            f"Expected classification signature method_name to be {CLASSIFY_METHOD}. Was: "
            "tensorflow/serving/predict",
        ),
        (spec(signature="no"), "No signature was found with the name: no"),
    ):
        message.model_spec.CopyFrom(chosen)
        fails(served.predict.Classify, message, "INVALID_ARGUMENT", details)
    regression = regression_pb2.RegressionRequest(model_spec=spec(signature="classify"))
    fill(regression.input, "good")
    fails(
        served.predict.Regress,
        regression,
        "INVALID_ARGUMENT",
        f"Expected regression signature method_name to be {REGRESS_METHOD}. Was: {CLASSIFY_METHOD}",
    )


def test_several_inferences_at_once(served):
    message = inference_pb2.MultiInferenceRequest()
    fails(
        served.predict.MultiInference,
        message,
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    )
    fill(message.input, "good")
    task = message.tasks.add(model_spec=spec(signature="classify"), method_name=CLASSIFY_METHOD)
    (result,) = served.predict.MultiInference(message, timeout=LIMIT).results
    assert [one.score for one in result.classification_result.classifications[0].classes] == [
        *(0, 1, 0)
    ]
    message.tasks.add().CopyFrom(task)
    fails(
        served.predict.MultiInference,
        message,
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: classify",
    )
    del message.tasks[1]
    task.method_name = "other"
    fails(
        served.predict.MultiInference,
        message,
        "UNIMPLEMENTED",
        "Unsupported signature method_name: other",
    )


def test_metadata(served):
    message = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec(label="stable"))
    fails(
        served.predict.GetModelMetadata,
        message,
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    message.metadata_field.append("signature_def")
    response = served.predict.GetModelMetadata(message, timeout=LIMIT)
    assert response.model_spec == spec(version=1)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["classify"].method_name == CLASSIFY_METHOD
    assert signatures.signature_def["kinds"].inputs.keys() == {"small", "whole", "flags"}
    message.metadata_field.append("more")
    fails(
        served.predict.GetModelMetadata,
        message,
        "INVALID_ARGUMENT",
        "Metadata field %s is not supportedmore",
    )


def test_status(served):
    message = get_model_status_pb2.GetModelStatusRequest(model_spec=spec())
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    versions = served.models.GetModelStatus(message, timeout=LIMIT).model_version_status
    assert [(v.version, v.state, v.status.error_code) for v in versions] == [
        (2, available, 0),
        (1, available, 0),
    ]
    message.model_spec.version.value = 9
    details = "Could not find version 9 of model toy"
    fails(served.models.GetModelStatus, message, "NOT_FOUND", details)
    message.model_spec.CopyFrom(spec(name="no"))
    details = "Could not find any versions of model no"
    fails(served.models.GetModelStatus, message, "NOT_FOUND", details)
    message = get_model_status_pb2.GetModelStatusRequest()
    fails(served.models.GetModelStatus, message, "INVALID_ARGUMENT", "Missing ModelSpec")


def test_health(served):
    check = served.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=wrappers_pb2.StringValue.SerializeToString,
        response_deserializer=wrappers_pb2.UInt32Value.FromString,
    )
    assert check(wrappers_pb2.StringValue(), timeout=LIMIT).value == 1  # SERVING
    fails(check, wrappers_pb2.StringValue(value="x"), "NOT_FOUND", "There is no service 'x'.")


def test_another_list_of_models(toy, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(toy, tmp_path / name / "1")
    store = ModelStore([ModelConfig("one", tmp_path / "one")], poll_seconds=0)
    with (
        Server(store, rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        message = model_management_pb2.ReloadConfigRequest()
        fails(
            models.HandleReloadConfigRequest,
            message,
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported",
        )
        config = message.config.model_config_list.config.add(
            name="two", base_path=str(tmp_path / "two"), model_platform="tensorflow"
        )
        response = models.HandleReloadConfigRequest(message, timeout=LIMIT)
        assert (response.status.error_code, store.names()) == (0, ["two"])
        config.version_labels["next"] = 7
        fails(
            models.HandleReloadConfigRequest,
            message,
            "FAILED_PRECONDITION",
            "Request to assign label to version 7 of model two, which is not currently available "
            "for inference",
        )
