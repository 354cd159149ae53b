import contextlib
import io
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tf_bertembed.common import BertEmbedError, MissingPackageError
from tf_bertembed.serving import Client, Server, requirements
from tf_bertembed.serving.batching_parameters import BatchingParameters
from tf_bertembed.serving.json_logs import logged_as_json
from tf_bertembed.serving.loaded_model import LoadedModel
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore


@pytest.fixture
def make_server(base):
    def make(**settings):
        store = ModelStore([ModelConfig("toy", base)], poll_seconds=0)
        return Server(store, **{"rest_port": 0, "grpc_port": 0, **settings})

    return make


def get(server, path, data=None, headers=None):
    message = urllib.request.Request(server.addresses()["rest"] + path, data, headers or {})
    try:
        with urllib.request.urlopen(message, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def predict(server, text, **settings):
    message = predict_pb2.PredictRequest()
    message.model_spec.name = "toy"
    message.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    with grpc.insecure_channel(server.addresses()["grpc"]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(message, timeout=60, **settings).outputs["upper"].string_val[0]


def ask_over_rest(server, text):
    body = json.dumps({"instances": [text]}).encode()
    return get(server, "/v1/models/toy:predict", body)


def test_both_apis_and_what_prometheus_is_told(make_server):
    with make_server() as server:
        assert predict(server, "a") == b"A"
        status, body = ask_over_rest(server, "b")
        assert (status, json.loads(body)["predictions"][0]["upper"]) == (200, "B")
        assert get(server, "/healthz")[0] == 200
        assert get(server, "/v1/models/made-up:predict", b"{}")[0] in (400, 404)
        assert get(server, "/v1/models/toy")[0] == 200
        with Client(server.addresses()["grpc"], "toy", transport="grpc") as client:
            client.status()
        assert get(server, "/v1/models/made-up")[0] == 404
        _, page = get(server, "/metrics")
        lines = page.splitlines()
    for label in ('api="grpc",method="predict"', 'api="rest",method="predict"'):
        status = "OK" if "grpc" in label else "200"
        assert (
            f'tf_bertembed_requests_total{{{label},model="toy",signature="serving_default",'
            f'status="{status}",version="1"}} 1.0' in lines
        )
    for api in ("grpc", "rest"):
        labels = f'api="{api}",method="status",model="toy"'
        assert f"tf_bertembed_request_seconds_count{{{labels}}} 1.0" in lines
    # A name that a client made up is no label.
    assert "made-up" not in page
    assert 'tf_bertembed_version_state{model="toy",state="AVAILABLE",version="1"} 1.0' in lines
    assert 'tf_bertembed_version_state{model="toy",state="END",version="1"} 0.0' in lines
    assert 'tf_bertembed_batch_rows_sum{model="toy",signature="serving_default"} 2.0' in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


def test_a_port_that_is_taken(make_server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for name in ("rest_port", "grpc_port"):
            server = make_server(**{name: port})
            with pytest.raises(BertEmbedError, match=f"cannot listen at 127.0.0.1:{port}"):
                server.start()
            server.stop()


def test_two_servers_never_share_a_port(make_server):
    with make_server() as first:
        for name in ("rest_port", "grpc_port"):
            server = make_server(**{name: getattr(first, name)})
            with pytest.raises(BertEmbedError, match="Choose another port"):
                server.start()
            server.stop()


def test_a_model_that_cannot_be_served_leaves_no_port_open(tmp_path):
    server = Server(ModelStore([ModelConfig("toy", tmp_path)]), rest_port=0, grpc_port=0)
    with pytest.raises(BertEmbedError, match="holds no version"):
        server.start()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.rest_port)) != 0
    server.stop()


def is_refused(server):
    try:
        get(server, "/healthz")
        return False
    except urllib.error.URLError:
        pass
    try:
        predict(server, "too late")
        return False
    except grpc.RpcError as error:
        return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def test_requests_that_run_are_finished_and_no_more_let_in(make_server, monkeypatch, tools):
    running, go_on, compute = threading.Semaphore(0), threading.Event(), LoadedModel.compute

    def slow(*arguments):
        running.release()
        assert go_on.wait(60)
        return compute(*arguments)

    monkeypatch.setattr(LoadedModel, "compute", slow)
    answers = {}
    server = make_server(stop_seconds=60)
    server.start()

    def ask(name, function):
        answers[name] = function(server, "last")

    clients = [
        threading.Thread(target=ask, args=("grpc", predict)),
        threading.Thread(target=ask, args=("rest", ask_over_rest)),
    ]
    stopping = threading.Thread(target=server.stop)
    clients[0].start()
    assert running.acquire(timeout=60)
    # The second runs too, or waits for a free thread.
    clients[1].start()
    tools.until(lambda: running.acquire(timeout=0.05) or server._store.batcher.queued())
    stopping.start()
    tools.until(lambda: is_refused(server))
    assert not server.wait(0)
    go_on.set()
    for thread in (*clients, stopping):
        thread.join(60)
    assert server.wait(0)
    assert answers["grpc"] == b"LAST"
    assert json.loads(answers["rest"][1])["predictions"][0]["upper"] == "LAST"


def test_what_waits_too_long_at_the_end_is_told(base, tools):
    batching = BatchingParameters(max_batch_size=2, batch_timeout_micros=600_000_000)
    store = ModelStore([ModelConfig("toy", base)], 0, batching)
    server = Server(store, rest_port=0, grpc_port=0, stop_seconds=0.1)
    server.start()
    answers = []
    client = threading.Thread(target=lambda: answers.append(ask_over_rest(server, "waiting")))
    client.start()
    tools.until(lambda: store.batcher.queued())
    begun = time.monotonic()
    server.stop()
    client.join(60)
    assert time.monotonic() - begun < 30
    ((status, body),) = answers
    assert status == 503, body


def test_what_still_runs_at_the_end_is_cut_off(make_server, monkeypatch):
    running, go_on, compute = threading.Semaphore(0), threading.Event(), LoadedModel.compute

    def slow(*arguments):
        running.release()
        go_on.wait(60)
        return compute(*arguments)

    monkeypatch.setattr(LoadedModel, "compute", slow)
    server = make_server(stop_seconds=0.2)
    server.start()
    answers = []

    def ask_over_grpc():
        try:
            predict(server, "last")
        except grpc.RpcError as error:
            answers.append(error.code().name)

    clients = [
        threading.Thread(target=ask_over_grpc),
        threading.Thread(target=lambda: answers.append(ask_over_rest(server, "last")[0])),
    ]
    try:
        clients[0].start()
        assert running.acquire(timeout=60)
        clients[1].start()
        limit = time.monotonic() + 30
        while not (running.acquire(timeout=0.05) or server._store.batcher.queued()):
            assert time.monotonic() < limit
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 10
        for client in clients:
            client.join(30)
    finally:
        go_on.set()
    assert set(answers) == {"UNAVAILABLE", 503}


ENDLESS = """
import sys, tensorflow as tf
from tf_bertembed.serving import Server
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore
store = ModelStore([ModelConfig("endless", sys.argv[1])])
server = Server(store, rest_port=0, grpc_port=0, stop_seconds=float(sys.argv[2]))
server.run(lambda: print(server.rest_port, flush=True))
"""


@pytest.mark.parametrize(
    ("stop_seconds", "signals", "code"),
    [(0.5, 1, 0), pytest.param(600, 2, 143, marks=pytest.mark.slow)],
)
def test_a_model_that_never_ends_does_not_keep_the_process(tmp_path, stop_seconds, signals, code):
    module = tf.Module()
    module.serve = tf.function(
        lambda text: {
            "n": tf.while_loop(lambda n: n[0] >= 0, lambda n: [n * 0], [text_zeros(text)])[0]
        },
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, str(tmp_path / "m" / "1"), {"serving_default": module.serve})
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path / "m"), str(stop_seconds)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            body = json.dumps({"instances": ["a"]}).encode()
            client = threading.Thread(
                target=refused, args=(url + "/v1/models/endless:predict", body), daemon=True
            )
            client.start()
            time.sleep(1)
            for _ in range(signals):
                process.terminate()
                time.sleep(0.3)
            assert process.wait(30) == code
        finally:
            process.kill()


def text_zeros(text):
    return tf.zeros_like(tf.strings.length(text))


def refused(url, body):
    with contextlib.suppress(OSError):
        urllib.request.urlopen(url, body, timeout=60)


@pytest.fixture
def json_log(tmp_path):
    """A file that the server's loggers write to, as a command has them do."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as stream, logged_as_json(stream):
        yield path


@pytest.mark.parametrize("log_texts", [False, True])
def test_logs_hold_no_texts_unless_asked(make_server, json_log, log_texts):
    with make_server(log_texts=log_texts) as server:
        predict(server, "a secret", metadata=[("x-request-id", "mine-1")])
        ask_over_rest(server, "a secret")
    text = json_log.read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    requests = [entry for entry in entries if entry["message"] == "request"]
    assert [(r["model"], r["version"], r["signature"]) for r in requests] == [
        ("toy", 1, "serving_default")
    ] * 2
    assert requests[0]["request_id"] == "mine-1"
    assert len(requests[1]["request_id"]) == 32
    assert all(r["milliseconds"] > 0 for r in requests)
    assert ("secret" in text) is log_texts
    assert {"version available", "serving", "stopping", "stopped"} <= {
        entry["message"] for entry in entries
    }


@pytest.mark.parametrize("log_texts", [False, True])
def test_a_logged_exception_quotes_no_client_unless_asked(log_texts):
    stream = io.StringIO()
    with logged_as_json(stream, log_texts):
        try:
            int("a secret")
        except ValueError:
            logging.getLogger("tf_bertembed.serving").exception("a request failed")
    (entry,) = map(json.loads, stream.getvalue().splitlines())
    # The line of the source is shown either way.
    assert ("literal for int() with base 10" in entry["exception"]) is log_texts
    assert "ValueError" in entry["exception"]
    assert "test_server.py" in entry["exception"]


def test_an_address_that_others_reach_is_said(make_server, caplog):
    with caplog.at_level(logging.WARNING, "tf_bertembed.serving"):
        server = make_server(host="0.0.0.0")
        server.start()
        server.stop()
    assert "anyone who reaches this address can use the models" in caplog.text


def test_a_missing_package(make_server, monkeypatch):
    monkeypatch.setattr(requirements, "MODULES", ("tensorflow_serving", "not_installed_here"))
    with pytest.raises(MissingPackageError, match=r"pip install 'tf-bertembed\[serve\]'"):
        make_server()
