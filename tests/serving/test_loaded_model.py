"""One version in a session: what it takes, its end, and threads that share it."""

import threading

import numpy as np
import pytest

from tf_bertembed.serving import ServingError
from tf_bertembed.serving.loaded_model import LoadedModel


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
