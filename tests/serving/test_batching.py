"""Rows of many requests, answered together."""

import time

import numpy as np
import pytest

from tf_bertembed.serving import ServingError
from tf_bertembed.serving.batch_requests import Request


def test_requests_share_batches_and_get_their_own_answers(loaded, batches, make_batcher, tools):
    batcher = make_batcher(num_batch_threads=2)
    requests = [[f"{number}-{'x' * (number + row)}" for row in range(3)] for number in range(20)]
    waiting = [
        batcher.submit(loaded, "serving_default", {"text": tools.strings(*texts)})
        for texts in requests
    ]
    sizes = []
    batcher.observe = lambda model, signature, rows: sizes.append((model, signature, rows))
    batcher.start()
    for texts, request in zip(requests, waiting, strict=True):
        answers = request.future.result(60)
        assert answers["upper"].tolist() == [text.upper().encode() for text in texts]
        lengths = np.array([len(text) for text in texts], "float32")
        np.testing.assert_array_equal(answers["vector"], lengths[:, None] * [[1, 2, 3]])
        assert answers["vector"].dtype == np.float32
    assert len(batches) < 20
    assert {(model, signature) for model, signature, _ in sizes} == {("toy", "serving_default")}
    assert sum(rows for *_, rows in sizes) == 60


def test_a_request_of_many_rows_is_split(loaded, batches, make_batcher, tools):
    batcher = make_batcher(max_batch_size=4)
    batcher.start()
    texts = [str(number) * (number % 7) for number in range(30)]
    answers = batcher.run(loaded, "serving_default", {"text": tools.strings(*texts)})
    assert answers["upper"].tolist() == [text.encode() for text in texts]
    assert max(map(len, batches)) <= 4
    assert sum(map(len, batches)) == 30


def test_texts_of_like_length_run_together(loaded, batches, make_batcher, tools):
    batcher = make_batcher(num_batch_threads=1, max_batch_size=8)
    texts = ["short", "long " * 300] * 8
    request = batcher.submit(loaded, "serving_default", {"text": tools.strings(*texts)})
    batcher.start()
    request.future.result(60)
    # A batch costs what its longest text does for each row, and the oldest row runs first.
    assert batches[0] == [b"short"] * 8
    assert [len(batch) for batch in batches[1:]] == [2, 2, 2, 2]


def test_several_inputs_and_outputs_on_request(loaded, make_batcher, tools):
    batcher = make_batcher()
    batcher.start()
    inputs = {"text": tools.strings("a", "c"), "other": tools.strings("b", "d")}
    assert batcher.run(loaded, "join", inputs)["joined"].tolist() == [b"ab", b"cd"]
    answers = batcher.run(
        loaded, "serving_default", {"text": tools.strings("a")}, outputs=["upper"]
    )
    assert answers.keys() == {"upper"}
    inputs["other"] = tools.strings("b")
    with pytest.raises(ServingError, match="equal 0th-dimension size") as raised:
        batcher.run(loaded, "join", inputs)
    assert raised.value.code == "INVALID_ARGUMENT"
    empty = batcher.run(loaded, "serving_default", {"text": tools.strings()})
    assert empty["upper"].shape == (0,)
    assert empty["vector"].shape == (0, 3)


def test_other_signatures_run_alone(loaded, batches, make_batcher, tools):
    safe = {name: signature.batchable for name, signature in loaded.signatures.items()}
    assert safe == {
        "serving_default": True,
        "join": True,
        "parse": True,
        "classify": True,
        # Its answers are as wide as the longest text that they are made with.
        "letters": False,
        "codes": False,
        "lonely": False,
        "half": False,
        "kinds": False,
    }
    batcher = make_batcher(num_batch_threads=1)
    waiting = [
        batcher.submit(loaded, "letters", {"text": tools.strings(text)}) for text in ("ab", "c")
    ]
    batcher.start()
    assert waiting[0].future.result(60)["letters"].tolist() == [[b"a", b"b"]]
    assert waiting[1].future.result(60)["letters"].tolist() == [[b"c"]]
    assert batches == [[b"ab"], [b"c"]]
    x = np.ones((2, 2), "float32")
    np.testing.assert_array_equal(batcher.run(loaded, "half", {"x": x})["y"], x * 2.5)
    kinds = {
        "small": np.array([1, 255], "uint8"),
        "whole": np.array(2**40),
        "flags": np.array([[True, False]]),
    }
    answers = batcher.run(loaded, "kinds", kinds)
    for name, array in kinds.items():
        np.testing.assert_array_equal(answers[name], array)
        assert answers[name].dtype == array.dtype
    assert (answers["half"].dtype, answers["double"].dtype) == (np.float16, np.float64)


def test_a_request_is_refused_before_anything_is_made_of_its_rows(
    loaded, make_batcher, tools, monkeypatch
):
    batcher = make_batcher(max_batch_size=2, max_enqueued_batches=2)
    made = []
    monkeypatch.setattr(Request, "rows", lambda request: made.append(request))
    with pytest.raises(ServingError, match="Task size 5 is larger"):
        batcher.submit(loaded, "serving_default", {"text": tools.strings(*"abcde")})
    batcher = make_batcher(max_batch_size=2, most_rows=4)
    with pytest.raises(ServingError, match="Task size 5 is larger than maximum input batch size 4"):
        batcher.submit(loaded, "serving_default", {"text": tools.strings(*"abcde")})
    assert made == []


def test_one_bad_request_fails_alone(loaded, batches, make_batcher, tools):
    batcher = make_batcher(num_batch_threads=1)
    texts = ["1", "2.5", "no number", "4"]
    waiting = [batcher.submit(loaded, "parse", {"text": tools.strings(text)}) for text in texts]
    batcher.start()
    for text, request in zip(texts, waiting, strict=True):
        if text == "no number":
            with pytest.raises(ServingError, match="could not correctly convert") as raised:
                request.future.result(60)
            assert raised.value.code == "INVALID_ARGUMENT"
        else:
            assert request.future.result(60)["number"].tolist() == [float(text)]
    assert len(batches[0]) == 4


def test_a_full_queue(loaded, make_batcher, tools):
    batcher = make_batcher(max_batch_size=2, max_enqueued_batches=3)

    def submit(rows):
        return batcher.submit(loaded, "serving_default", {"text": tools.strings(*["a"] * rows)})

    first = submit(5)
    assert batcher.queued() == {("toy", "serving_default"): 5}
    with pytest.raises(ServingError, match="queue to which this task was submitted") as raised:
        submit(2)
    assert raised.value.code == "UNAVAILABLE"
    assert "task size is 2 but scheduling capacity is only 1" in str(raised.value)
    with pytest.raises(ServingError, match="larger than maximum input batch size 6") as raised:
        submit(7)
    assert raised.value.code == "INVALID_ARGUMENT"
    second = submit(1)
    batcher.start()
    for request, rows in ((first, 5), (second, 1)):
        assert request.future.result(60)["upper"].tolist() == [b"A"] * rows
    assert batcher.queued() == {}


def test_what_nobody_waits_for_any_more_is_not_computed(loaded, batches, make_batcher, tools):
    batcher = make_batcher(num_batch_threads=1)
    begun = time.monotonic()
    with pytest.raises(ServingError, match=r"not ready in 0\.050 seconds") as raised:
        batcher.run(loaded, "serving_default", {"text": tools.strings("late")}, timeout=0.05)
    assert raised.value.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - begun < 30
    batcher.start()
    batcher.run(loaded, "serving_default", {"text": tools.strings("on time")})
    assert batches == [[b"on time"]]


def test_a_batch_waits_for_more_rows_for_as_long_as_it_is_told(
    loaded, batches, make_batcher, tools
):
    batcher = make_batcher(num_batch_threads=1, max_batch_size=3, batch_timeout_micros=60_000_000)
    batcher.start()
    first = [
        batcher.submit(loaded, "serving_default", {"text": tools.strings(text)}) for text in "ab"
    ]
    time.sleep(0.1)
    assert batches == []
    batcher.run(loaded, "serving_default", {"text": tools.strings("c")}, timeout=60)
    assert [len(batch) for batch in batches] == [3]
    assert all(request.future.done() for request in first)
    batches.clear()
    batcher = make_batcher(num_batch_threads=1, max_batch_size=3, batch_timeout_micros=1000)
    batcher.start()
    batcher.run(loaded, "serving_default", {"text": tools.strings("alone")}, timeout=60)
    assert batches == [[b"alone"]]


def test_what_waits_when_the_server_stops_is_told(loaded, make_batcher, tools):
    batcher = make_batcher()
    request = batcher.submit(loaded, "serving_default", {"text": tools.strings("a")})
    batcher.stop()
    with pytest.raises(ServingError, match="shutting down") as raised:
        request.future.result(0)
    assert raised.value.code == "UNAVAILABLE"
    with pytest.raises(ServingError, match="shutting down"):
        batcher.submit(loaded, "serving_default", {"text": tools.strings("a")})


def test_little_is_computed_for_padding(loaded, batches, make_batcher, tools):
    """Not even where few rows wait, which a batch would hold all together."""
    batcher = make_batcher(num_batch_threads=1)
    texts = ["a" * length for length in (20, 150, 22, 21, 160, 155, 24, 23)]
    request = batcher.submit(loaded, "serving_default", {"text": tools.strings(*texts)})
    batcher.start()
    answers = request.future.result(60)
    assert answers["upper"].tolist() == [text.upper().encode() for text in texts]
    assert [sorted(map(len, batch)) for batch in batches] == [
        [20, 21, 22, 23, 24],
        [150, 155, 160],
    ]
