"""Requests that nobody would write, by hypothesis: always an answer, never a fault."""

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_bertembed.serving.rest import Limits, create_app

# What TensorFlow Serving's codes become, without those for faults of the server.
EXPECTED = {200, 400, 404, 405, 413, 501}
LIMITS = Limits(body_bytes=4096, rows=8)


class InProcess:
    """The application without a socket, for thousands of requests."""

    def __init__(self, app, runner):
        self._app, self._runner = app, runner

    def ask(self, method, path, body=b"", headers=(), chunk=1000):
        """Send one request; its status, headers and body."""
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"a"), *headers],
            "server": ("a", 80),
            "client": ("b", 1),
        }
        chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
        sent = []

        async def receive():
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message):
            sent.append(message)

        async def call():
            # No request may take longer.
            await asyncio.wait_for(self._app(scope, receive, send), 60)

        self._runner.run(call())
        start, *parts = sent
        content = b"".join(part["body"] for part in parts)
        return start["status"], dict(start["headers"]), content


@pytest.fixture(scope="module")
def app(store):
    with asyncio.Runner() as runner:
        yield InProcess(create_app(store, limits=LIMITS), runner)


NAMES = st.sampled_from(["small", "other", "", "%", "%00", "sm%61ll", "..", "ü", "a" * 300])
VERSIONS = st.sampled_from(
    [
        *("", "/", "/versions/3", "/versions/", "/versions/x", "/versions/999999999999999999999"),
        *("/labels/stable", "/labels/%ff", "/versions/3/labels/stable"),
    ]
)
VERBS = st.sampled_from(
    [":predict"] * 6 + [":classify", ":regress", "/metadata", "", ":", ":Predict", ":predict?a=b"]
)
API_PATHS = st.builds("/v1/models/{}{}{}".format, NAMES, VERSIONS, VERBS)
GOOD_PATHS = st.builds("/v1/models/small{}".format, VERBS)
PATHS = st.one_of(
    GOOD_PATHS,
    GOOD_PATHS,
    API_PATHS,
    st.sampled_from(["/", "/healthz", "/page/models", "/page/page.js", "/page/../x", "//", "/v1/"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30).map("/{}".format),
)
METHODS = st.sampled_from(["POST"] * 6 + ["GET", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])

NUMBERS = st.one_of(
    st.integers(-2, 300),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from([2**31, 2**63, 2**64, 1e39, -1e39, 2**24]),
)
LEAVES = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Cs", "Cc", "L"]), max_size=4),
    NUMBERS,
    st.booleans(),
    st.none(),
    st.sampled_from([{"b64": "AP8="}, {"b64": "!"}, {"b64": 1}, {"b64": "AA==", "a": 1}]),
)
KEYS = st.sampled_from(
    ["text", "text_a", "text_b", "floats", "small", "large", "flags", "inputs", "b64", "", "\x00"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ROWS = st.one_of(
    st.lists(st.text(max_size=8), max_size=10),
    st.lists(st.fixed_dictionaries({"text": LEAVES}), max_size=4),
    st.lists(st.fixed_dictionaries({"text_a": LEAVES, "text_b": LEAVES}), max_size=4),
    st.lists(
        st.fixed_dictionaries(
            {
                "floats": st.lists(NUMBERS, min_size=2, max_size=2),
                "small": NUMBERS,
                "large": NUMBERS,
                "flags": st.booleans(),
            }
        ),
        max_size=3,
    ),
    VALUES,
)
SIGNATURES = st.one_of(
    st.sampled_from(
        ["", "serving_default", "echo", "words", "join", "types", "unwritable", "classify"]
    ),
    VALUES,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": SIGNATURES,
        "instances": ROWS,
        "inputs": ROWS | st.dictionaries(KEYS, ROWS, max_size=3),
        "examples": ROWS,
        "context": VALUES,
    },
)


@st.composite
def damaged(draw):
    """A document with a few of its bytes replaced, doubled or gone."""
    body = bytearray(json.dumps(draw(DOCUMENTS)).encode())
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


BODIES = st.one_of(
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(
        lambda document: json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    ),
    damaged(),
    st.binary(max_size=100),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"{}", b"[" * 4000, b"a" * 5000, b'{"instances": [' + b'"a",' * 1000]),
)
HEADERS = st.lists(
    st.sampled_from(
        [
            (b"content-encoding", b"gzip"),
            (b"content-length", b"99999"),
            (b"content-length", b"x"),
            (b"content-type", b"text/plain"),
            (b"x-request-id", b"\xff\r\n"),
            (b"x-request-id", b"mine"),
        ]
    ),
    max_size=1,
)


def check(app, method, path, body, headers):
    status, answered, content = app.ask(method, path, body, headers)
    assert status in EXPECTED, content
    assert int(answered[b"content-length"]) == len(content) or method == "HEAD"
    assert b"Traceback" not in content
    if status != 200:
        error = json.loads(content)["error"]
        assert isinstance(error, str)
        assert 0 < len(error) < 4500
    elif path.startswith("/v1/"):
        json.loads(content.decode("utf-8", "surrogateescape"))
    return status


# TensorFlow's kernels take the smallest floats for zero.
FLOATS = st.floats(width=32, allow_subnormal=False)
REQUESTS = given(method=METHODS, path=PATHS, body=BODIES, headers=HEADERS)


@settings(max_examples=150)
@REQUESTS
def test_any_request_is_answered(app, method, path, body, headers):
    check(app, method, path, body, headers)


@pytest.mark.slow
@settings(max_examples=10_000)
@REQUESTS
def test_ten_thousand_requests_are_answered(app, method, path, body, headers):
    check(app, method, path, body, headers)


@settings(max_examples=50)
@given(texts=st.lists(st.text(max_size=20) | st.binary(max_size=20), min_size=1, max_size=8))
def test_every_text_comes_back_as_it_was(app, texts):
    raw = [text if isinstance(text, bytes) else text.encode() for text in texts]
    decoded = [text.decode("utf-8", "surrogateescape") for text in raw]
    document = json.dumps({"signature_name": "echo", "instances": decoded}, ensure_ascii=False)
    body = document.encode("utf-8", "surrogateescape")
    _, _, content = app.ask("POST", "/v1/models/small:predict", body)
    answer = json.loads(content.decode("utf-8", "surrogateescape"))
    back = [text.encode("utf-8", "surrogateescape") for text in answer["predictions"]]
    assert back == raw


@settings(max_examples=50)
@given(floats=st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=8))
def test_every_float_comes_back_as_it_was(app, floats):
    rows = len(floats)
    inputs = {"floats": floats, "small": [1] * rows, "large": [1] * rows, "flags": [True] * rows}
    body = json.dumps({"signature_name": "types", "inputs": inputs}).encode()
    _, _, content = app.ask("POST", "/v1/models/small:predict", body)
    answer = json.loads(content)["outputs"]
    for name, dtype in (("floats", "float32"), ("doubles", "float64")):
        found, expected = np.array(answer[name], dtype), np.array(floats, dtype)
        np.testing.assert_array_equal(found, expected)
        same_sign = np.signbit(found) == np.signbit(expected)
        # JSON's NaN has no sign.
        assert (same_sign | np.isnan(expected)).all()
