"""Classify, metadata, status, health and reload, asked with the official stubs."""

import shutil

import grpc
from google.protobuf import wrappers_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    regression_pb2,
)

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, REGRESS_METHOD
from tf_bertembed.serving import Server
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

LIMIT = 60


def fill(message, *texts):
    for text in texts:
        example = message.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(text.encode())


def test_classify(served, spec):
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


def test_what_cannot_be_classified_or_regressed(served, spec, fails):
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


def test_several_inferences_at_once(served, spec, fails):
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


def test_metadata(served, spec, fails):
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


def test_status(served, spec, fails):
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


def test_health(served, fails):
    check = served.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=wrappers_pb2.StringValue.SerializeToString,
        response_deserializer=wrappers_pb2.UInt32Value.FromString,
    )
    assert check(wrappers_pb2.StringValue(), timeout=LIMIT).value == 1  # SERVING
    fails(check, wrappers_pb2.StringValue(value="x"), "NOT_FOUND", "There is no service 'x'.")


def test_another_list_of_models(toy, tmp_path, fails):
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
