"""The paths of TensorFlow Serving's REST API, asked over a socket."""

import base64
import gzip
import logging

import pytest
from google.protobuf import json_format
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse

from tf_bertembed.serving.rest import Limits

BY_SIGNATURE = {"signature_name": "echo"}


def test_rows(live):
    answer = live.predict({"instances": ["abc", ""]})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == {
        "predictions": [
            {"length": 3, "halves": [1.5, -1.5], "text": "abc", "text_bytes": {"b64": "YWJj"}},
            {"length": 0, "halves": [0.0, -0.0], "text": "", "text_bytes": {"b64": ""}},
        ]
    }


def test_columns(live):
    answer = live.predict({"inputs": {"text": ["abc"]}})
    assert answer.content == {
        "outputs": {
            "length": [3],
            "halves": [[1.5, -1.5]],
            "text": ["abc"],
            "text_bytes": [{"b64": "YWJj"}],
        }
    }


def test_a_single_output_has_no_name(live):
    assert live.predict({**BY_SIGNATURE, "instances": ["a"]}).content == {"predictions": ["a"]}
    assert live.predict({**BY_SIGNATURE, "inputs": ["a"]}).content == {"outputs": ["a"]}


def test_other_types(live):
    row = {"floats": [0.1, 1e30], "small": 255, "large": -(2**62), "flags": True}
    answer = live.predict({"signature_name": "types", "instances": [row]})
    assert answer.content["predictions"] == [
        {**row, "floats": [0.1, 1e30], "doubles": [0.10000000149011612, 1.0000000150474662e30]}
    ]


def test_binary_texts_come_back_as_they_were(live):
    body = b'{"signature_name": "echo", "instances": ["\xff\xfe", {"b64": "AP8="}, "\\u0000"]}'
    answer = live.predict(body)
    raw = [text.encode("utf-8", "surrogateescape") for text in answer.content["predictions"]]
    assert raw == [b"\xff\xfe", b"\x00\xff", b"\x00"]


def test_numbers_that_json_has_no_word_for(live):
    body = (
        b'{"signature_name": "types", "instances": [{"floats": [NaN, -Infinity], '
        b'"small": 1, "large": 1, "flags": false}]}'
    )
    floats = live.predict(body).content["predictions"][0]["floats"]
    assert str(floats) == "[nan, -inf]"


@pytest.mark.parametrize("place", ["", "/versions/3", "/versions/0003", "/labels/stable"])
def test_places_of_a_version(live, place):
    path = f"/v1/models/small{place}"
    assert live.predict({"instances": ["a"]}, f"{path}:predict").status == 200
    assert live.ask("GET", path).status == 200
    assert live.ask("GET", f"{path}/metadata").status == 200


def test_the_pattern_of_a_path_ignores_case_and_reads_percent_signs(live):
    assert live.predict({"instances": ["a"]}, "/V1/Models/small:predict").status == 200
    assert live.predict({"instances": ["a"]}, "/v1/models/sm%61ll:predict").status == 200


def test_status(live):
    answer = live.ask("GET", "/v1/models/small").content
    assert answer == {
        "model_version_status": [
            {
                "version": "3",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    message = json_format.ParseDict(answer, GetModelStatusResponse())
    assert message.model_version_status[0].state == message.model_version_status[0].AVAILABLE


def test_metadata_is_what_the_saved_model_says(live, store):
    answer = live.ask("GET", "/v1/models/small/metadata").content
    assert answer["model_spec"] == {"name": "small", "signature_name": "", "version": "3"}
    told = json_format.ParseDict(answer["metadata"]["signature_def"], SignatureDefMap())
    with store.use("small") as model:
        assert dict(told.signature_def) == dict(model.meta_graph.signature_def)
    text = answer["metadata"]["signature_def"]["signature_def"]["echo"]["inputs"]["text"]
    assert text["dtype"] == "DT_STRING"
    assert text["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}


def test_classify(live):
    body = {
        "signature_name": "classify",
        "context": {"more": [1, 2]},
        "examples": [{"text": "ab"}, {"text": [{"b64": base64.b64encode(b"abc").decode()}]}],
    }
    assert live.predict(body, "/v1/models/small:classify").content == {
        "results": [[["ab", 0.2], ["b:ab", 2.0]], [["abc", 0.3], ["b:abc", 3.0]]]
    }


def test_the_context_is_common_to_all_examples(live):
    body = {"signature_name": "classify", "context": {"text": "shared"}, "examples": [{}]}
    answer = live.predict(body, "/v1/models/small:classify").content
    assert answer["results"][0][0][0] == "shared"


def test_regress(live):
    body = {"signature_name": "regress", "examples": [{"text": "ab"}, {"text": "中"}]}
    assert live.predict(body, "/v1/models/small:regress").content == {"results": [2.0, 3.0]}


@pytest.mark.parametrize(
    ("verb", "body", "message"),
    [
        ("classify", {}, "key 'examples' is expected and was not found"),
        ("classify", {"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ("classify", {"examples": []}, "'examples' value is an empty array"),
        ("classify", {"examples": ["a"]}, "Example must be JSON object but got JSON String"),
        ("classify", {"examples": [{"a": None}]}, "has element with unexpected JSON type: Null"),
        ("classify", {"examples": [{"a": [[1]]}]}, "has element with unexpected JSON type: Array"),
        ("classify", {"examples": [{"a": ["b", 1]}]}, "Unexpected element type in feature: a"),
        ("classify", {"examples": [{"a": 2**63}]}, "has uint64 element. Only int64 is supported."),
        ("classify", {"examples": [{"a": 1e39}]}, "to float without loss of precision."),
        (
            "classify",
            {"examples": [{"text": "a"}]},
            "Expected classification signature method_name to be tensorflow/serving/classify. "
            "Was: tensorflow/serving/predict",
        ),
        (
            "regress",
            {"examples": [{"text": "a"}]},
            "Expected regression signature method_name to be tensorflow/serving/regress. "
            "Was: tensorflow/serving/predict",
        ),
        (
            "regress",
            {"signature_name": "no", "examples": [{"text": "a"}]},
            "No signature was found with the name: no",
        ),
    ],
)
def test_examples_that_are_refused(live, verb, body, message):
    answer = live.predict(body, f"/v1/models/small:{verb}")
    assert answer.status == 400
    assert message in answer.content["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/small/versions/9", 404, "Could not find version 9 of model small"),
        ("GET", "/v1/models/other/metadata", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        (
            "POST",
            "/v1/models/small/versions/9:predict",
            404,
            "Servable not found for request: Specific(small, 9)",
        ),
        (
            "POST",
            "/v1/models/small/labels/no:predict",
            400,
            "Unrecognized servable version label: no",
        ),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/models/", 400, "Malformed request: GET /v1/models/"),
        ("GET", "/v1/models/small:predict", 400, "Malformed request: GET /v1/models/small:predict"),
        ("POST", "/v1/models/small", 400, "Malformed request: POST /v1/models/small"),
        ("POST", "/v1/models/small:PREDICT", 400, "Malformed request: POST"),
        ("POST", "/v1/models/small:predict?a=b", 400, "Malformed request: POST"),
        ("PUT", "/v1/models/small:predict", 400, "Malformed request: PUT"),
        ("DELETE", "/v1/models/small", 400, "Malformed request: DELETE"),
        (
            "GET",
            "/v1/models/small/versions/99999999999999999999",
            400,
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
        ("GET", "/v2/models/small", 404, "There is nothing at /v2/models/small."),
        ("POST", "/healthz", 405, "Method Not Allowed: POST /healthz"),
    ],
)
def test_requests_that_lead_nowhere(live, method, path, status, message):
    answer = live.ask(method, path, {"instances": ["a"]} if method == "POST" else None)
    assert (answer.status, answer.content["error"][: len(message)]) == (status, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"signature_name": "no", "instances": ["a"]}, '"no" not found in signature def'),
        ({"instances": [["a"]]}, "Input 'text' must have shape [?]. Received: [1,1]"),
        ({"inputs": "a"}, "Input 'text' must have shape [?]. Received: []"),
        ({"signature_name": "unwritable", "instances": ["a"]}, "for tensor type: half"),
        (
            {"signature_name": "join", "instances": [{"b64": "YQ=="}]},
            "input size does not match signature: 1!=2 len({text_a}) != len({text_a,text_b}). "
            "Sent extra: {}. Missing but required: {text_b}.",
        ),
        (
            {"signature_name": "join", "inputs": {"text_a": ["a"], "text_b": ["a", "b"]}},
            "must have equal 0th-dimension size",
        ),
    ],
)
def test_predictions_that_are_refused(live, body, message):
    answer = live.predict(body)
    assert answer.status == 400
    assert message in answer.content["error"]


def test_no_rows(live):
    assert live.predict({"inputs": []}).content.get("outputs", {}).get("length") == [], (
        live.predict({"inputs": []}).content
    )
    answer = live.predict({"signature_name": "words", "instances": [""]})
    assert answer.content == {"predictions": [[]]} or answer.content == {"predictions": [[""]]}


def test_compressed_bodies(live):
    body = gzip.compress(b'{"signature_name": "echo", "instances": ["a"]}')
    headers = {"content-encoding": "gzip"}
    assert live.predict(body, headers=headers).content == {"predictions": ["a"]}
    assert "ended before the end" in live.predict(body[:-9], headers=headers).content["error"]
    assert "not gzip" in live.predict(b"{}", headers=headers).content["error"]
    text = gzip.decompress(body)
    parts = gzip.compress(text[:20]) + gzip.compress(text[20:])
    assert live.predict(parts, headers=headers).content == {"predictions": ["a"]}
    for broken in (parts[:-9], parts + b"more"):
        answer = live.predict(broken, headers=headers)
        assert (answer.status, "not gzip" in answer.content["error"]) == (400, True)


def test_health_and_metrics(run_server, store):
    with run_server(store, metrics=lambda: b"up 1\n") as server:
        assert server.ask("GET", "/healthz").content == b"ok\n"
        for path in ("/metrics", "/monitoring/prometheus/metrics"):
            assert server.ask("GET", path).content == b"up 1\n"


def test_what_is_observed_and_logged(run_server, store, caplog):
    seen = []
    caplog.set_level(logging.INFO, "tf_bertembed.serving.access")
    with run_server(store, observe=lambda *what: seen.append(what[:3])) as server:
        answer = server.predict({"instances": ["a secret", "b"]})
        server.predict({"instances": ["a secret", "b"]}, "/v1/models/made-up:predict")
        server.predict(b"{a secret", "/v1/models/small:predict")
    assert seen == [("predict", "small", 200), ("predict", "", 404), ("predict", "", 400)]
    fields = caplog.records[0].fields
    assert fields["request_id"] == answer.headers["x-request-id"]
    assert (fields["model"], fields["version"], fields["rows"]) == ("small", 3, 2)
    assert (fields["api"], fields["method"], fields["status"]) == ("rest", "predict", 200)
    assert "secret" not in str([vars(record) for record in caplog.records])


def test_texts_are_logged_where_that_is_asked_for(run_server, store, caplog):
    caplog.set_level(logging.INFO, "tf_bertembed.serving.access")
    with run_server(store, log_texts=True) as server:
        server.predict({"instances": ["x" * 5000]})
    assert caplog.records[0].fields["body"].startswith('{"instances": ["xxx')
    assert len(caplog.records[0].fields["body"]) == 1000


def test_a_fault_of_the_server_says_no_more_than_its_name(run_server, store, caplog):
    class Broken:
        def ready(self):
            return True

        def statuses(self, **choice):
            raise ZeroDivisionError("something private")

    with run_server(Broken()) as server:
        answer = server.ask("GET", "/v1/models/small")
    assert answer.status == 500
    name = answer.headers["x-request-id"]
    assert answer.content == {"error": f"Internal error; the server's log names it {name}."}
    assert "something private" in caplog.text


def test_limits_are_positive():
    with pytest.raises(ValueError, match="`rows` must be positive"):
        Limits(rows=0)
