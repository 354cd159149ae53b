"""Clients that keep to no protocol, stop half-way or go: the next one is served."""

import contextlib
import json
import socket
import struct
import time

import pytest

from tf_bertembed.serving.rest import Limits

pytestmark = pytest.mark.usefixtures("still_well")

MEGABYTE = 2**20


PATH = "/v1/models/small:predict"


ECHO = b'{"signature_name": "echo", "instances": ["%s"]}'


@contextlib.contextmanager
def connected(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        yield client


def request(body, *headers, length=None, path=PATH):
    length = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_all(client):
    """Read until the server closes, or resets, the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def read_answer(client):
    """Read one answer: its status and what its JSON says."""
    file = client.makefile("rb")
    status = int(file.readline().split()[1])
    length = 0
    while (line := file.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, json.loads(file.read(length))


def test_a_body_of_100_megabytes(live, resident):
    before = resident()
    with connected(live) as client:
        client.sendall(request(b"", length=100 * 10**6))
        block = b"a" * 10**6
        for _ in range(100):
            client.sendall(block)
        status, answer = read_answer(client)
        # The connection is as good as before.
        client.sendall(request(ECHO % b"again"))
        assert read_answer(client) == (200, {"predictions": ["again"]})
    assert status == 413
    assert answer["error"].startswith("The body is larger than 67108864 bytes")
    assert resident() - before < 32 * MEGABYTE


def test_a_body_without_a_length(strict):
    with connected(strict) as client:
        head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode())
        for _ in range(20):
            client.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        assert read_answer(client)[0] == 413


def test_a_slow_body(strict):
    with connected(strict) as client:
        client.sendall(request(b"", length=100))
        for _ in range(4):
            client.sendall(b" ")
            time.sleep(0.05)
        status, answer = read_answer(client)
        assert (status, answer["error"]) == (408, "The body did not arrive in 0.7 seconds.")
        assert client.recv(1) == b""


def test_a_slow_head(strict):
    with connected(strict) as client:
        begun = time.monotonic()
        client.sendall(b"POST /v1/models/small:predict HTTP/1.1\r\nHost: ")
        assert read_all(client) == b""
        assert time.monotonic() - begun < 20


def test_a_slow_head_on_a_connection_that_was_used(strict):
    with connected(strict) as client:
        client.sendall(request(ECHO % b"a"))
        assert read_answer(client)[0] == 200
        client.sendall(b"POST ")
        assert read_all(client) == b""


def test_nothing_at_all(strict):
    with connected(strict) as client:
        assert read_all(client) == b""


def test_a_client_that_reads_nothing(run_server, store):
    limits = Limits(write_seconds=0.3)
    with run_server(store, limits) as server, connected(server) as client:
        # Otherwise Linux would take in all of the answer.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        size = 16 * MEGABYTE
        client.sendall(request(ECHO % (b"a" * size)))
        time.sleep(3)
        # What the kernels hold arrives; the rest was given up.
        assert len(read_all(client)) < size


def test_a_half_closed_connection_is_answered(live):
    with connected(live) as client:
        client.sendall(request(ECHO % b"last words"))
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"last words" in answer


def test_a_connection_that_ends_within_a_body(live):
    with connected(live) as client:
        client.sendall(request(b"", length=1000) + b"{")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""


def test_clients_that_reset_the_connection(live):
    for sent in (b"", b"POST", request(b"", length=1000) + b"{", request(ECHO % b"a")):
        with connected(live) as client:
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        request(b"", length=-1),
        request(b"", length="1, 2"),
        request(b"", "Content-Length: 5", length=4),
        request(b"{}", "Transfer-Encoding: chunked, chunked"),
        b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http(strict, garbage):
    with connected(strict) as client:
        client.sendall(garbage)
        answer = read_all(client)
    assert answer == b"" or answer.split()[1] in (b"400", b"404", b"501"), answer
    assert b"Traceback" not in answer


def test_requests_one_behind_the_other(live):
    with connected(live) as client:
        client.sendall(b"".join(request(ECHO % b"%d" % number) for number in range(3)))
        answers = [read_one(client) for _ in range(3)]
    assert answers == [{"predictions": [str(number)]} for number in range(3)]


def read_one(client):
    """Read one answer and no byte of the next."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    body = b""
    while len(body) < length:
        body += client.recv(length - len(body))
    return json.loads(body)


def test_permission_is_given_to_who_waits_for_it(live):
    body = ECHO % b"a"
    with connected(live) as client:
        client.sendall(request(b"", "Expect: 100-continue", length=len(body)))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)
        assert read_answer(client)[0] == 200


def test_more_bodies_than_are_held_at_a_time(strict):
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(connected(strict))
            client.sendall(request(b" " * (MEGABYTE - 1), length=MEGABYTE))
        time.sleep(0.2)
        answer = strict.predict({"instances": ["a" * 1000]})
        assert answer.status == 503
        assert answer.content["error"].startswith("The server holds as many requests as it may.")
    deadline = time.monotonic() + 10
    while strict.predict({"instances": ["a" * 1000]}).status == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_idle_connections(live):
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connected(live))
        assert live.predict({"instances": ["a"]}).status == 200


def test_the_body_of_what_was_refused_is_not_waited_for_forever(strict):
    with connected(strict) as client:
        client.sendall(request(b"", length=10 * MEGABYTE))
        assert read_answer(client)[0] == 413
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:
                client.sendall(b"a")
                time.sleep(0.1)
        assert time.monotonic() - begun < 15
