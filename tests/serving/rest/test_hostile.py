"""Clients that mean ill, or are broken: each is answered or dropped, and the next is served."""

import contextlib
import gzip
import json
import socket
import struct
import time
from pathlib import Path

import pytest

from tf_bertembed.serving.rest import Limits

MEGABYTE = 2**20
PATH = "/v1/models/small:predict"
ECHO = b'{"signature_name": "echo", "instances": ["%s"]}'


@pytest.fixture(scope="module")
def strict(run_server, store):
    """A server with limits that a test reaches in a moment."""
    limits = Limits(
        body_bytes=MEGABYTE,
        buffered_bytes=2 * MEGABYTE,
        rows=100,
        header_seconds=0.5,
        body_seconds=0.7,
        write_seconds=0.5,
    )
    with run_server(store, limits) as server:
        yield server


@pytest.fixture(autouse=True)
def _still_well(live, caplog):
    """Whatever a test did: nothing was logged as an error, and others are served."""
    yield
    assert live.predict({"instances": ["a"]}).status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


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


def resident():
    """Bytes of memory that this process, the server's, has."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def test_a_body_of_100_megabytes(live):
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


def test_a_body_that_grows_when_it_is_unpacked(strict):
    packed = gzip.compress(b" " * (50 * MEGABYTE))
    answer = strict.predict(packed, headers={"content-encoding": "gzip"})
    assert answer.status == 413


def test_100_000_texts(live):
    answer = live.predict({"instances": ["text"] * 100_000})
    assert answer.status == 400
    assert answer.content["error"] == (
        "The request has 100000 rows; this server takes at most 4096. Send it in parts."
    )


def test_values_that_take_more_memory_than_bytes(live):
    before = resident()
    answer = live.predict(b'{"instances": [' + b"{}," * (20 * MEGABYTE) + b"{}]}")
    assert answer.status == 400
    assert answer.content["error"].startswith("The request holds more than 4000000 values")
    assert resident() - before < 200 * MEGABYTE


def test_commas_in_a_text_are_no_values(live):
    answer = live.predict({"instances": [",[{" * 2 * MEGABYTE]})
    assert answer.content["predictions"][0]["length"] == 6 * MEGABYTE


@pytest.mark.parametrize("tail", [b'"' + b'\\"' * MEGABYTE, b'"' + b"\\"])
def test_a_string_without_an_end(live, tail):
    padding = b" " * max(0, 4 * MEGABYTE - len(tail))
    begun = time.monotonic()
    answer = live.predict(b'{"instances": [' + b"1," * 100_000 + padding + tail)
    # It takes hours where the end is looked for again from each quote.
    assert time.monotonic() - begun < 20
    assert answer.status == 400
    assert answer.content["error"].startswith("JSON Parse error: ")


def test_an_answer_as_wide_as_its_longest_text_in_every_row(run_server, store):
    texts = ["a " * 99 + "a", *["a"] * 9]
    with run_server(store, Limits(answer_values=999)) as server:
        answer = server.predict({"signature_name": "words", "instances": texts})
        assert server.predict({"signature_name": "words", "instances": texts[:9]}).status == 200
    assert answer.status == 400
    assert answer.content["error"] == (
        "The answer holds 1000 values; this server writes at most 999. Send fewer rows at a time, "
        "and texts of about the same length together."
    )


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_answers_to_examples_have_a_limit_too(run_server, store, verb):
    body = {"signature_name": verb, "examples": [{"text": "a"}] * 3}
    with run_server(store, Limits(answer_values=2)) as server:
        answer = server.predict(body, path=f"/v1/models/small:{verb}")
    assert answer.status == 400
    assert "this server writes at most 2." in answer.content["error"]


def test_a_text_of_10_megabytes(live):
    before = resident()
    answer = live.predict({"instances": ["word " * (2 * 10**6)]})
    assert answer.status == 200
    assert answer.content["predictions"][0]["length"] == 10**7
    assert resident() - before < 400 * MEGABYTE


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MEGABYTE,
        b'{"instances":' * 1000,
        b'{"instances": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"instances": [' + b"1" * MEGABYTE,
        b'"' + b"\\u" * 1000,
        b"\x00" * 1000,
        b"\xff" * 1000,
        b"\xef\xbb\xbf",
        bytes(range(256)),
        b'{"instances": "' + b"\xff" * 1000 + b'"}',
        b'{"instances": [{"\xff": 1}]}',
        b'{"inputs": {"\\u0000": 1}}',
        b'{"signature_name": "\xff\\u0000", "instances": [1]}',
        b'{"instances": [NaN]}',
        b'{"instances": [-]}',
    ],
)
def test_bodies_that_are_no_requests(live, body):
    for verb in ("predict", "classify", "regress"):
        answer = live.predict(body, f"/v1/models/small:{verb}")
        assert answer.status == 400
        assert 0 < len(answer.content["error"]) < 3000
        assert "Traceback" not in answer.content["error"]


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
