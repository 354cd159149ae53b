"""Requests that mean ill, or are broken: each is answered, and the next one too."""

import gzip
import time

import pytest

from tf_bertembed.serving.rest import Limits

pytestmark = pytest.mark.usefixtures("still_well")


MEGABYTE = 2**20


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


def test_values_that_take_more_memory_than_bytes(live, resident):
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


def test_a_text_of_10_megabytes(live, resident):
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
