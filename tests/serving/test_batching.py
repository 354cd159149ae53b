import logging
import threading
import time

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.serving import ServingError, padded_runs
from tf_bertembed.serving.batch_requests import Request
from tf_bertembed.serving.batching import Batcher
from tf_bertembed.serving.batching_parameters import BatchingParameters, read_batching_parameters
from tf_bertembed.serving.joined_parts import filler_of
from tf_bertembed.serving.loaded_model import LoadedModel


@pytest.fixture(scope="module")
def loaded(toy):
    model = LoadedModel("toy", 1, toy)
    yield model
    model.close()


@pytest.fixture
def batches(loaded, monkeypatch):
    """The texts of each run of the graph."""
    seen, compute = [], loaded.compute

    def recording(signature, inputs, *rest):
        seen.append(next(iter(inputs.values())).tolist())
        return compute(signature, inputs, *rest)

    monkeypatch.setattr(loaded, "compute", recording)
    return seen


@pytest.fixture
def make_batcher():
    made = []

    def make(**parameters):
        made.append(Batcher(BatchingParameters(**parameters)))
        return made[-1]

    yield make
    for batcher in made:
        batcher.stop()


def test_the_file_of_tensorflow_serving(tmp_path, caplog):
    path = tmp_path / "batching_parameters.txt"
    # As in https://www.tensorflow.org/tfx/serving/serving_config.
    path.write_text(
        """
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 1000000 }
        num_batch_threads { value: 8 }
        """
    )
    assert read_batching_parameters(path) == BatchingParameters(128, 0, 1000000, 8)
    path.write_text(
        "max_batch_size { value: 128 } max_execution_batch_size { value: 16 } "
        "enable_large_batch_splitting { value: true } allowed_batch_sizes: [4, 16] "
        'pad_variable_length_inputs: false thread_pool_name { value: "t" }'
    )
    with caplog.at_level(logging.WARNING, "tf_bertembed.serving"):
        parameters = read_batching_parameters(path)
    assert parameters == BatchingParameters(max_batch_size=16, most_rows=128)
    (warning,) = caplog.messages
    assert warning == "fields without effect in this server: thread_pool_name, allowed_batch_sizes"
    path.write_text("enable_large_batch_splitting { value: false }")
    with caplog.at_level(logging.WARNING, "tf_bertembed.serving"):
        assert read_batching_parameters(path) == BatchingParameters()
    assert caplog.messages[-1].endswith(": enable_large_batch_splitting: false")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_batch_size { value: 0 }", "`max_batch_size` must be at least 1. Received: 0."),
        ("batch_timeout_micros { value: -1 }", "`batch_timeout_micros` must be at least 0"),
        ("\nmax_batch: 3", "line 2: A BatchingParameters in protobuf's text format"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "batching_parameters.txt"
    path.write_text(content)
    with pytest.raises(FileFormatError, match=message):
        read_batching_parameters(path)
    with pytest.raises(BertEmbedError):
        BatchingParameters(num_batch_threads=0)


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


def test_wide_answers_are_computed_a_batch_at_a_time(loaded, batches, make_batcher, tools):
    texts = ["x" * (number * 7 % 11) for number in range(9)]
    inputs = {"text": tools.strings(*texts)}
    whole = loaded.compute("letters", inputs)["letters"]
    batches.clear()
    batcher = make_batcher(num_batch_threads=1, max_batch_size=4)
    batcher.start()
    answers = batcher.run(loaded, "letters", inputs)["letters"]
    assert answers.dtype == whole.dtype
    assert answers.tolist() == whole.tolist()
    assert max(map(len, batches)) <= 4
    # Those of like length run together.
    assert [max(map(len, batch)) for batch in batches[:3]] == [3, 9, 10]


def test_what_wide_answers_are_filled_up_with_is_learned(loaded, make_batcher, tools):
    texts = ["x" * (number * 7 % 11) for number in range(9)]
    inputs = {"text": tools.strings(*texts)}
    whole = loaded.compute("codes", inputs)
    loaded.fillers["codes"].clear()
    batcher = make_batcher(num_batch_threads=1, max_batch_size=2)
    batcher.start()
    answers = batcher.run(loaded, "codes", inputs)
    assert loaded.fillers["codes"] == {"codes": 0, "places": -1, "halves": 0}
    for name, array in whole.items():
        assert answers[name].dtype == array.dtype
        np.testing.assert_array_equal(answers[name], array)


def test_answers_that_are_no_rows_of_their_own_are_computed_as_a_whole(
    loaded, batches, make_batcher, tools
):
    inputs = {"text": tools.strings(*"abcab")}
    whole = loaded.compute("lonely", inputs)["among"]
    batcher = make_batcher(num_batch_threads=1, max_batch_size=2)
    batcher.start()
    answers = batcher.run(loaded, "lonely", inputs)["among"]
    assert answers.tolist() == whole.tolist()
    assert len(batches[-1]) == 5


@pytest.mark.parametrize(
    ("short", "filled", "filler"),
    [
        ([3, 4], [3, 4, 0, 0], 0),
        ([3, 4], [3, 4, -1], -1),
        ([], [-1, -1], -1),
        ([0.5], [0.5000001, 0.0], 0.0),
        # As wide, narrower, not filled with one value, another answer.
        ([3, 4], [3, 4], None),
        ([3, 4], [3], None),
        ([3, 4], [3, 4, 0, 1], None),
        ([3, 4], [3, 5, 0], None),
        ([0.5], [0.6, 0.0], None),
    ],
)
def test_what_fills_up_is_behind_the_same_answer(short, filled, filler):
    assert filler_of(np.array(short), np.array(filled)) == filler


def test_answers_that_would_not_fit_into_memory_are_refused(loaded, batches, make_batcher, tools):
    batcher = make_batcher()
    long = tools.strings("x" * 2**17, *["a"] * 200)
    with pytest.raises(ServingError) as raised:
        batcher.submit(loaded, "letters", {"text": long})
    assert raised.value.code == "INVALID_ARGUMENT"
    assert "201 rows x 131072 bytes = 26345472; this server takes at most 16777216" in str(
        raised.value
    )
    assert batches == []
    # Where an answer does not grow with its neighbours, nor does the memory.
    batcher.submit(loaded, "serving_default", {"text": long})


def test_a_request_that_nobody_waits_for_stops_between_its_parts(
    loaded, batches, make_batcher, tools
):
    batcher = make_batcher(num_batch_threads=1, max_batch_size=1)
    inputs = {"text": tools.strings(*"abcdef")}
    over = iter([False, False, True])
    compute = loaded.compute
    assert (
        padded_runs.run_in_parts(
            lambda part: compute("letters", part), inputs, 1, {}, lambda: next(over)
        )
        is None
    )
    assert len(batches) == 2
    batcher.start()
    assert batcher.run(loaded, "letters", inputs)["letters"].shape == (6, 1)


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


def test_inputs_that_a_signature_does_not_take(loaded, tools):
    for signature, inputs, message in (
        ("none", {}, 'Serving signature key "none" not found.'),
        (
            "serving_default",
            {"text": tools.strings("a"), "more": tools.strings("a")},
            "input size does not match signature: 2!=1 len({more,text}) != len({text}). "
            "Sent extra: {more}. Missing but required: {}.",
        ),
        (
            "serving_default",
            {"texts": tools.strings("a")},
            "Signature input alias: text(feed name: serving_default_text:0) not found in request "
            "and no default value provided. Inputs expected to be in the request {texts}, or "
            "default input alias set: ",
        ),
        (
            "serving_default",
            {"text": np.ones(1, "int64")},
            "Expects arg[0] to be string but int64 is provided",
        ),
        (
            "half",
            {"x": np.ones((1, 3), "float32")},
            "Input 'x' must have shape [?,2]. Received: [1,3]",
        ),
    ):
        with pytest.raises(ServingError) as raised:
            loaded.run(signature, inputs)
        assert str(raised.value) == message


def test_a_version_that_was_unloaded(toy, tools):
    model = LoadedModel("toy", 1, toy)
    model.close()
    model.close()
    with pytest.raises(ServingError, match=r"Version 1 was unloaded\.") as raised:
        model.run("serving_default", {"text": tools.strings("a")})
    assert raised.value.code == "UNAVAILABLE"


def test_a_model_runs_in_many_threads_at_a_time(loaded, tools):
    gate = threading.Barrier(8)

    def run(number):
        gate.wait()
        return [
            loaded.run("serving_default", {"text": tools.strings(f"{number}-{turn}")})["upper"][0]
            for turn in range(10)
        ]

    for number, answers in enumerate(tools.in_threads(run, range(8))):
        assert answers == [f"{number}-{turn}".encode() for turn in range(10)]
