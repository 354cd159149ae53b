"""The client, where the server or what lies between fails."""

import contextlib
import http.server
import socket
import struct
import threading
import time

import pytest

from tf_bertembed.serving import Client, ServingError

STATUS = (
    b'{"model_version_status": [{"version": "4", "state": "AVAILABLE", '
    b'"status": {"error_code": "OK", "error_message": ""}}]}'
)


@contextlib.contextmanager
def scripted(*steps, timeout=30.0):
    """A server that does one thing a request: a status to answer, or a fault."""
    left, seen = list(steps), []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            step = left.pop(0)
            seen.append(self.client_address)
            if step == "reset":
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.close_connection = True
                self.connection.close()
                return
            if step == "silence":
                time.sleep(1.5)
                self.close_connection = True
                return
            # A server may close what it said it would keep.
            self.close_connection = step == "closing"
            body = STATUS if step in (200, "closing") else b'{"error": "not now"}'
            body = b"<html>" if step == "html" else body
            self.send_response(200 if isinstance(step, str) else step)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:-1] if step == "cut" else body)
            if step == "cut":
                self.close_connection = True

        def log_message(self, *_):
            pass

        def handle(self):
            with contextlib.suppress(OSError, ValueError):
                super().handle()

        def finish(self):
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        with Client(address, "a", pause=0.01, timeout=timeout) as client:
            yield client, seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("fault", ["reset", "cut", 503, 502])
def test_what_may_pass_is_asked_again(fault):
    with scripted(fault, fault, 200) as (client, seen):
        assert client.status()[0]["version"] == 4
        assert len(seen) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_ARGUMENT"),
        (404, "NOT_FOUND"),
        (413, "RESOURCE_EXHAUSTED"),
        (429, "RESOURCE_EXHAUSTED"),
        (418, "INVALID_ARGUMENT"),
        (500, "INTERNAL"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_what_stays_wrong_is_not(status, code):
    with scripted(status) as (client, seen):
        with pytest.raises(ServingError, match="not now") as caught:
            client.status()
        assert (caught.value.code, caught.value.http_status) == (code, status)
        assert len(seen) == 1


def test_patience_ends():
    with scripted(503, 503, 503, 503, 503) as (client, seen):
        with pytest.raises(ServingError, match="not now"):
            client.status()
        assert len(seen) == 4


def test_a_silent_server():
    with scripted("silence", timeout=1.0) as (client, seen):
        begun = time.monotonic()
        with pytest.raises(ServingError, match="No answer within 1 seconds") as caught:
            client.status()
        assert caught.value.code == "DEADLINE_EXCEEDED"
        assert 0.9 < time.monotonic() - begun < 10
        assert len(seen) == 1


def test_a_kept_connection_that_was_closed_is_replaced_at_once():
    with scripted("closing", 200, 200) as (client, seen):
        client._retries = 0
        for _ in range(3):
            assert client.status()
            time.sleep(0.1)
        assert seen[0] != seen[1] == seen[2]


def test_an_answer_of_another_kind():
    with scripted(200) as (client, _), pytest.raises(ServingError) as caught:
        client.metadata()
    message = "should hold `model_spec` and the signatures of `metadata`. Received: {'model_version"
    assert message in str(caught.value)


def test_an_answer_that_is_no_json():
    message = "answered no JSON: b'<html>'"
    with scripted("html") as (client, _), pytest.raises(ServingError, match=message):
        client.status()


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_no_server_at_all(transport):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        client = Client(address, "a", transport=transport, retries=1, pause=0.01, timeout=5)
        with client, pytest.raises(ServingError) as caught:
            client.status()
    assert caught.value.code == "UNAVAILABLE"
