"""One contract, for this package's server and for TensorFlow Serving itself.

The second runs where the environment says where it is: TF_BERTEMBED_SERVING_REST
(`http://HOST:8501`), TF_BERTEMBED_SERVING_GRPC (`HOST:8500`) and
TF_BERTEMBED_SERVING_MODEL, the name of any model that `tf-bertembed export` wrote.
"""

import http.client
import json
import os
import types
import urllib.parse

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tf_bertembed.serving import Client, Server
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

VARIABLES = [f"TF_BERTEMBED_SERVING_{name}" for name in ("REST", "GRPC", "MODEL")]
SHORT, LONG = "A good film.", "bad films 很好 " * 20
CLASSIFY, PREDICT = "tensorflow/serving/classify", "tensorflow/serving/predict"


@pytest.fixture(scope="module")
def own_server(toy):
    with Server(ModelStore([ModelConfig("toy", toy.parent)], poll_seconds=0), 0, 0) as server:
        yield server


@pytest.fixture(scope="module", params=["tf_bertembed", "tensorflow_serving"])
def served(request):
    """Where a server is, and what it serves."""
    if request.param == "tf_bertembed":
        addresses = request.getfixturevalue("own_server").addresses()
        rest, grpc_address, model = addresses["rest"], addresses["grpc"], "toy"
    else:
        missing = [name for name in VARIABLES if not os.environ.get(name)]
        if missing:
            pytest.skip(f"no TensorFlow Serving to ask: {', '.join(missing)} not set")
        rest, grpc_address, model = (os.environ[name] for name in VARIABLES)
    with grpc.insecure_channel(grpc_address) as channel:
        yield types.SimpleNamespace(
            rest=rest,
            grpc=grpc_address,
            model=model,
            prediction=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            models=model_service_pb2_grpc.ModelServiceStub(channel),
        )


@pytest.fixture(scope="module")
def metadata(served):
    with Client(served.rest, served.model) as client:
        return client.metadata()


@pytest.fixture(scope="module")
def rows(metadata):
    """Three rows of the default signature, and of each its inputs."""
    names = sorted(metadata["signatures"]["serving_default"]["inputs"])
    columns = {name: [SHORT, LONG, "好"] for name in names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def ask(served, method, path, body=None):
    """Send a request as it is; the status and the JSON of the answer."""
    url = urllib.parse.urlsplit(served.rest)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    connection.request(method, path, body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content.decode("utf-8", "surrogateescape"))


def predict_message(served, rows, signature=""):
    message = predict_pb2.PredictRequest()
    message.model_spec.name = served.model
    message.model_spec.signature_name = signature
    for name in rows[0]:
        values = [row[name] for row in rows]
        message.inputs[name].CopyFrom(tf.make_tensor_proto(values, tf.string))
    return message


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        if array.dtype == object:
            assert found[name].tolist() == array.tolist(), name
        else:
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


def test_both_apis_and_all_forms_give_the_same(served, metadata, rows):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    response = served.prediction.Predict(predict_message(served, rows), timeout=60)
    expected = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
    for name, array in expected.items():
        if array.dtype == object:
            texts = [value.decode() for value in array.ravel()]
            expected[name] = np.array(texts, object).reshape(array.shape)
    for transport, address in (("rest", served.rest), ("grpc", served.grpc)):
        with Client(address, served.model, transport=transport) as client:
            assert_same(client.predict(columns), expected)

    path = f"/v1/models/{served.model}:predict"
    status, by_row = ask(served, "POST", path, {"instances": rows})
    assert status == 200
    status, by_column = ask(served, "POST", path, {"inputs": columns})
    assert status == 200
    outputs = metadata["signatures"]["serving_default"]["outputs"]
    if len(outputs) > 1:
        named = {name: [row[name] for row in by_row["predictions"]] for name in outputs}
        assert named == by_column["outputs"]
    else:
        assert by_row["predictions"] == by_column["outputs"]


def test_an_output_can_be_chosen(served, metadata, rows):
    output = min(metadata["signatures"]["serving_default"]["outputs"])
    message = predict_message(served, rows)
    message.output_filter.append(output)
    assert list(served.prediction.Predict(message, timeout=60).outputs) == [output]
    message.output_filter[0] = "no"
    with pytest.raises(grpc.RpcError, match="output tensor alias not found in signature: no"):
        served.prediction.Predict(message, timeout=60)


def test_status(served, metadata):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = served.model
    told = served.models.GetModelStatus(request, timeout=60)
    status, answer = ask(served, "GET", f"/v1/models/{served.model}")
    assert status == 200
    assert json_format.ParseDict(answer, get_model_status_pb2.GetModelStatusResponse()) == told
    available = [
        version["version"]
        for version in answer["model_version_status"]
        if version["state"] == "AVAILABLE"
    ]
    assert str(metadata["version"]) in available


def test_metadata(served):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = served.model
    told = get_model_metadata_pb2.SignatureDefMap()
    served.prediction.GetModelMetadata(request, timeout=60).metadata["signature_def"].Unpack(told)
    status, answer = ask(served, "GET", f"/v1/models/{served.model}/metadata")
    assert status == 200
    assert sorted(answer) == ["metadata", "model_spec"]
    found = json_format.ParseDict(
        answer["metadata"]["signature_def"], get_model_metadata_pb2.SignatureDefMap()
    )
    assert found == told


def test_strings_as_base64(served, rows):
    path = f"/v1/models/{served.model}:predict"
    row = dict.fromkeys(rows[0], "a")
    coded = {name: {"b64": "YQ=="} for name in rows[0]}
    plain = ask(served, "POST", path, {"instances": [row]})
    assert plain[0] == 200
    assert ask(served, "POST", path, {"instances": [coded]}) == plain


def test_bytes_that_are_not_utf8_are_taken(served, rows):
    body = json.dumps({"instances": [dict.fromkeys(rows[0], "?")]}).encode()
    status, _ = ask(
        served, "POST", f"/v1/models/{served.model}:predict", body.replace(b"?", b"\xff")
    )
    assert status == 200


def test_classify(served, metadata):
    signature = next(
        (
            name
            for name, known in metadata["signatures"].items()
            if known["method_name"] == CLASSIFY
        ),
        None,
    )
    if signature is None:
        pytest.skip("the model has no signature for the Classify API")
    answers = []
    for transport, address in (("rest", served.rest), ("grpc", served.grpc)):
        with Client(address, served.model, transport=transport) as client:
            answers.append(client.classify([SHORT, LONG], signature))
    assert_same(*answers)
    body = {"signature_name": signature, "examples": [{"text": SHORT}], "context": {"more": [1]}}
    status, answer = ask(served, "POST", f"/v1/models/{served.model}:classify", body)
    assert status == 200
    (pairs,) = answer["results"]
    assert all(isinstance(label, str) and isinstance(score, float) for label, score in pairs)


NOT_FOUND = "Servable not found for request: "


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/v1/models/no-such", None, 404, "Could not find any versions of model no-such"),
        ("GET", "/v1/models/no-such/metadata", None, 404, NOT_FOUND + "Latest(no-such)"),
        ("POST", "/v1/models/no-such:predict", {}, 404, NOT_FOUND + "Latest(no-such)"),
        ("POST", "MODEL/versions/987654:predict", {}, 404, NOT_FOUND + "Specific(MODEL, 987654)"),
        ("GET", "MODEL/versions/987654", None, 404, "Could not find version 987654 of model MODEL"),
        ("GET", "/v1/models", None, 400, "Missing model name in request."),
        ("PUT", "MODEL", {}, 400, "Malformed request: PUT /v1/models/MODEL"),
        ("POST", "MODEL:what", {}, 400, "Malformed request: POST /v1/models/MODEL:what"),
        ("POST", "MODEL:predict", b"", 400, "JSON Parse error: The document is empty"),
        ("POST", "MODEL:predict", b"x", 400, "JSON Parse error: Invalid value. at offset: 0"),
        ("POST", "MODEL:predict", [], 400, "JSON Value: [] Is not object"),
        ("POST", "MODEL:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        (
            "POST",
            "MODEL:predict",
            {"signature_name": "no", "instances": ["a"]},
            400,
            'Serving signature name: "no" not found in signature def',
        ),
        (
            "POST",
            "MODEL:classify",
            {"examples": [{"text": "a"}]},
            400,
            f"Expected classification signature method_name to be {CLASSIFY}. Was: {PREDICT}",
        ),
        (
            "POST",
            "MODEL:regress",
            {"examples": [{"text": "a"}]},
            400,
            "Expected regression signature method_name to be tensorflow/serving/regress. "
            f"Was: {PREDICT}",
        ),
        ("POST", "MODEL:classify", {"examples": [1]}, 400, "Example must be JSON object but got"),
    ],
)
def test_errors_over_rest(served, method, path, body, status, message):
    path = path.replace("MODEL", f"/v1/models/{served.model}")
    found, answer = ask(served, method, path, body)
    assert list(answer) == ["error"]
    assert found == status
    assert answer["error"].startswith(message.replace("MODEL", served.model))


def test_wrong_types_over_rest(served, rows):
    name = min(rows[0])
    wrong = {**rows[0], name: 1}
    status, answer = ask(
        served, "POST", f"/v1/models/{served.model}:predict", {"instances": [wrong]}
    )
    assert status == 400
    assert answer["error"] == (
        f"Failed to process element: 0 key: {name} of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON Value: 1 Type: Number is not of expected type: string"
    )


def refused(method, message):
    with pytest.raises(grpc.RpcError) as caught:
        method(message, timeout=60)
    return caught.value.code().name, caught.value.details()


def test_errors_over_grpc(served, rows):
    predict, message = served.prediction.Predict, predict_message(served, rows, "no")
    code, details = refused(predict, message)
    assert (code, details) == ("FAILED_PRECONDITION", 'Serving signature key "no" not found.')

    message = predict_message(served, rows)
    message.inputs["more"].CopyFrom(tf.make_tensor_proto(["a"]))
    code, details = refused(predict, message)
    assert code == "INVALID_ARGUMENT"
    assert details.startswith("input size does not match signature: ")
    assert "Sent extra: {more}" in details

    message = predict_message(served, rows)
    message.model_spec.name = "no-such"
    assert refused(predict, message) == ("NOT_FOUND", NOT_FOUND + "Latest(no-such)")
    message.model_spec.name = served.model
    message.model_spec.version.value = 987654
    specific = f"Specific({served.model}, 987654)"
    assert refused(predict, message) == ("NOT_FOUND", NOT_FOUND + specific)
    message.model_spec.version_label = "no-such"
    code, details = refused(predict, message)
    assert (code, details) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: no-such",
    )

    for method, request in (
        (served.prediction.Classify, classification_pb2.ClassificationRequest()),
        (served.prediction.Regress, regression_pb2.RegressionRequest()),
    ):
        request.model_spec.name = served.model
        request.input.example_list.examples.add()
        code, details = refused(method, request)
        assert code == "INVALID_ARGUMENT"
        assert "signature method_name to be tensorflow/serving/" in details
