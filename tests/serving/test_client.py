"""The client over both APIs, against a server."""

import contextlib
import socket
import subprocess
import sys

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError
from tf_bertembed.serving import Client, Server, ServingError
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore
from tf_bertembed.serving.rest import BoundedProtocol


@pytest.fixture(scope="module")
def server(toy):
    store = ModelStore([ModelConfig("toy", toy.parent, labels={"stable": 1})], poll_seconds=0)
    with Server(store, rest_port=0, grpc_port=0) as server:
        yield server


@pytest.fixture(params=["rest", "grpc"])
def connect(server, request):
    """Make a client of the server, over one API and then the other."""
    with contextlib.ExitStack() as stack:

        def connect(model="toy", **options):
            address = server.addresses()[request.param]
            return stack.enter_context(
                Client(address, model, transport=request.param, pause=0.01, **options)
            )

        yield connect


def test_texts_in_arrays_out(connect):
    answer = connect().predict(["good", "Zürich"])
    assert sorted(answer) == ["upper", "vector"]
    assert answer["upper"].tolist() == ["GOOD", "ZüRICH"]
    assert answer["vector"].dtype == np.float32
    np.testing.assert_array_equal(answer["vector"], [[4, 8, 12], [7, 14, 21]])


def test_many_rows_are_sent_in_parts(connect):
    texts = [str(number) for number in range(7)]
    answer = connect(batch_size=3).predict(texts)
    assert answer["upper"].tolist() == texts
    assert answer["vector"].shape == (7, 3)


def test_parts_of_other_widths_are_filled_up(connect):
    letters = connect(batch_size=1).predict(["a", "bcd"], "letters")["letters"]
    assert letters.tolist() == [["a", "", ""], ["b", "c", "d"]]


@pytest.mark.parametrize("batch_size", [1, 2])
def test_parts_are_filled_up_as_the_model_does_it(connect, batch_size):
    texts = ["ab", "a", "", "我住在这里", "abc"]
    whole = connect().predict(texts, "codes")
    assert whole["codes"][1].tolist() == [97, 0, 0, 0, 0]
    assert whole["places"][1].tolist() == [0, -1, -1, -1, -1]
    client = connect(batch_size=batch_size)
    for _ in range(2):
        answer = client.predict(texts, "codes")
        for name, array in whole.items():
            assert answer[name].dtype == array.dtype
            np.testing.assert_array_equal(answer[name], array, name)


def test_parts_that_cannot_be_put_together_are_refused(connect):
    with pytest.raises(BertEmbedError, match=r"of at least 3\. Received: 2"):
        connect(batch_size=2).predict(["a", "b", "c"], "lonely")


def test_several_inputs_and_bytes(connect):
    client = connect()
    answer = client.predict({"text": ["a", b"\xff"], "other": ["b", ""]}, "join")
    assert answer["joined"].tolist() == ["ab", "\udcff"]
    again = client.predict({"text": answer["joined"], "other": ["", ""]}, "join")
    assert again["joined"].tolist() == ["ab", "\udcff"]


def test_numbers(connect):
    answer = connect().predict({"x": np.array([[1, 2], [3, np.inf]], np.float32)}, "half")
    np.testing.assert_array_equal(answer["y"], [[2.5, 3], [3.5, np.inf]])
    assert answer["y"].dtype == np.float32


def test_no_rows(connect):
    answer = connect().predict([])
    assert answer["vector"].shape == (0, 3)
    assert answer["vector"].dtype == np.float32
    assert answer["upper"].shape == (0,)


def test_classify(connect):
    answer = connect().classify(["bad", "what"])
    assert answer["classes"].tolist() == [["none", "good", "bad"]] * 2
    np.testing.assert_array_equal(answer["scores"], [[0, 0, 1], [1, 0, 0]])
    assert answer["scores"].dtype == np.float32
    assert connect().classify([])["scores"].shape == (0, 0)
    with pytest.raises(BertEmbedError, match="The signature `letters` does not classify"):
        connect().classify(["a"], "letters")


def test_metadata_and_status(connect):
    client = connect()
    metadata = client.metadata()
    assert (metadata["name"], metadata["version"]) == ("toy", 1)
    assert metadata["signatures"]["serving_default"] == {
        "method_name": "tensorflow/serving/predict",
        "inputs": {"text": {"dtype": "string", "shape": [None]}},
        "outputs": {
            "upper": {"dtype": "string", "shape": [None]},
            "vector": {"dtype": "float32", "shape": [None, 3]},
        },
    }
    assert metadata["signatures"]["kinds"]["inputs"]["whole"] == {"dtype": "int64", "shape": []}
    assert client.status() == [
        {"version": 1, "state": "AVAILABLE", "error_code": "OK", "error_message": ""}
    ]


@pytest.mark.parametrize("choice", [{"version": 1}, {"label": "stable"}])
def test_a_version_can_be_chosen(connect, choice):
    assert connect(**choice).predict(["a"])["upper"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"model": "other"}, "NOT_FOUND", "Servable not found for request: Latest(other)"),
        ({"version": 7}, "NOT_FOUND", "Servable not found for request: Specific(toy, 7)"),
        ({"label": "no"}, "INVALID_ARGUMENT", "Unrecognized servable version label: no"),
    ],
)
def test_errors_of_the_server(connect, options, code, message):
    with pytest.raises(ServingError) as caught:
        connect(**options).predict(["a"])
    assert (caught.value.code, str(caught.value)) == (code, message)


def test_errors_of_the_model(connect):
    with pytest.raises(
        ServingError, match="StringToNumberOp could not correctly convert"
    ) as caught:
        connect().predict(["no number"], "parse")
    assert caught.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("texts", "signature", "message"),
    [
        ("a", "serving_default", "A list of texts is expected for `text`. Received: one text, 'a'"),
        ([1.5, "a"], "serving_default", "Texts, or numbers, are expected for `text`."),
        ([None], "serving_default", "Received: NoneType."),
        (["a"], "join", "The signature takes 2 inputs, so a dict of other, text is expected."),
        ({"text": ["a"]}, "join", "The signature takes other, text. Received: text."),
        ({"text": ["a"], "other": []}, "join", "All inputs must have as many rows."),
        ({"x": [[1, 2], [3]]}, "half", "The rows of `x` are not all of one shape"),
        (["a"], "no", "The model has no signature `no`. It has: classify, "),
        (
            ["\ud800"],
            "serving_default",
            "Row 0 of `text` has half of a surrogate pair at 0, which UTF-8 has no bytes for. "
            "Received: '\\ud800'.",
        ),
        (None, "serving_default", "expected for `text`. Received: NoneType, None."),
        (np.array(3), "serving_default", "expected for `text`. Received: ndarray, array(3)."),
        ({"x": np.array([1j])}, "half", "Texts, or numbers, are expected for `x`."),
        (["a"], ["a"], "`signature` must be the name of a signature; several inputs are given"),
    ],
)
def test_what_is_refused_before_it_is_sent(connect, texts, signature, message):
    with pytest.raises(BertEmbedError) as caught:
        connect().predict(texts, signature)
    assert message in str(caught.value)


def test_classify_takes_texts_alone(connect):
    with pytest.raises(BertEmbedError, match="Texts are expected for `text`"):
        connect().classify([1.5])
    with pytest.raises(BertEmbedError, match="At least one input is needed"):
        connect().classify({})


def test_other_outputs_than_before_are_learned(connect):
    client = connect()
    expected = client.predict(["a"])
    known = client.metadata()["signatures"]["serving_default"]["outputs"]
    for change in ({"upper": "vector"}, {"upper": "text"}, {"vector": None}):
        changed = {change.get(name, name): spec for name, spec in known.items()}
        changed.pop(None, None)
        client._known["signatures"]["serving_default"]["outputs"] = changed
        answer = client.predict(["a"])
        assert sorted(answer) == sorted(expected)


def test_rest_at_the_grpc_port(server):
    client = Client(server.addresses()["grpc"], "toy", pause=0.01)
    with client, pytest.raises(ServingError) as caught:
        client.predict(["a"])
    assert str(caught.value).endswith(" does not speak HTTP; is it the gRPC port?")


def test_everything_after_the_model_is_named():
    with pytest.raises(TypeError):
        Client("127.0.0.1:1", "a", 1)


def test_embed_needs_an_embedding(connect):
    with pytest.raises(BertEmbedError, match="The model gives no embedding"):
        connect().embed(["a"])


def test_threads_share_a_client(connect, tools):
    client = connect()
    answers = tools.in_threads(lambda text: client.predict([text])["upper"][0], ["a"] * 8)
    assert answers == ["A"] * 8


def test_a_closed_client_says_so(connect):
    client = connect()
    client.predict(["a"])
    client.close()
    with pytest.raises(BertEmbedError, match="The client is closed"):
        client.predict(["a"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transport": "carrier pigeon"}, '`transport` must be "rest" or "grpc"'),
        ({"version": 1, "label": "a"}, "Either `version` or `label` names a version"),
        ({"model": ""}, "`model` must name a model"),
        ({"model": "a b"}, "without spaces and control characters. Received: 'a b'."),
        ({"model": "a\r\n", "transport": "grpc"}, r"characters. Received: 'a\r\n'."),
        ({"model": None}, "Received: None."),
        ({"label": "a\n"}, r"`label` must be a label, without spaces"),
        ({"version": "1"}, "`version` must be a whole number. Received: '1'."),
        ({"version": 1.5}, "`version` must be a whole number. Received: 1.5."),
        ({"version": True}, "`version` must be a whole number. Received: True."),
        ({"timeout": "1"}, "`timeout` must be a number. Received: '1'."),
        ({"retries": 0.5}, "`retries` must be a whole number. Received: 0.5."),
        ({"address": 8501}, "The address of a REST API is like"),
        ({"address": "a:65536"}, "The address of a REST API is like"),
        ({"address": "a:0"}, "The address of a REST API is like"),
        ({"address": "a:65536", "transport": "grpc"}, "gRPC API is like 127.0.0.1:8500."),
        ({"address": "a:0", "transport": "grpc"}, "gRPC API is like 127.0.0.1:8500."),
        ({"address": ":8500", "transport": "grpc"}, "gRPC API is like 127.0.0.1:8500."),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0."),
        ({"timeout": 0}, "`timeout` must be at least 0.001. Received: 0."),
        ({"address": "ftp://a"}, "The address of a REST API is like http://127.0.0.1:8501."),
        ({"address": "a:b"}, "The address of a REST API is like"),
        (
            {"address": "http://a", "transport": "grpc"},
            "The address of a gRPC API is like 127.0.0.1:8500.",
        ),
    ],
)
def test_arguments(options, message):
    with pytest.raises(BertEmbedError) as caught:
        Client(**{"address": "127.0.0.1:1", "model": "a", **options})
    assert message in str(caught.value)


def test_the_body_of_an_answer_does_not_wait_for_its_head(server, monkeypatch):
    made, found = BoundedProtocol.connection_made, []

    def connection_made(self, transport):
        made(self, transport)
        accepted = transport.get_extra_info("socket")
        found.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(BoundedProtocol, "connection_made", connection_made)
    with Client(server.addresses()["rest"], "toy") as client:
        client.status()
    assert found == [1]


def test_rest_needs_no_tensorflow():
    script = (
        "import sys; from tf_bertembed.serving import Client; Client('127.0.0.1:9', 'a'); "
        "assert not {'tensorflow', 'grpc', 'starlette'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
