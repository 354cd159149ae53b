import itertools
import json
import os
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not BENCHMARKS.exists(), reason="benchmarks/ is in the repository only"
)

CONTENDER = """
import time
import numpy as np

PACKAGES = ["numpy"]


def threads():
    return {"numpy": 1}


def sleeper(seconds, turn=0.0, fail=False):
    if fail:
        raise RuntimeError("no weights here")
    print("a library that prints")

    def encode(texts):
        time.sleep(seconds * len(texts))
        return np.array([[np.cos(turn), np.sin(turn)]] * len(texts))

    return encode


def spinner():
    import threading

    def spin():
        while True:
            pass

    threading.Thread(target=spin, daemon=True).start()
    return lambda texts: None


def loader():
    return time.perf_counter
"""


@pytest.fixture
def harness(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    (tmp_path / "contender_of_test.py").write_text(CONTENDER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("TF_BERTEMBED_DATA", raising=False)
    import harness

    yield harness
    for name in [n for n in sys.modules if n.partition(".")[0] == "harness"]:
        del sys.modules[name]


def _benchmark(harness, tmp_path, contenders, workload="workloads:all_texts", arguments=(), **more):
    from harness import options

    parsed = options.parse(
        "A test.", contenders, rounds=3, arguments=["--output", str(tmp_path), *arguments]
    )
    inputs = more.pop("inputs", None)
    if inputs is None:
        (tmp_path / "texts.json").write_text(json.dumps(["a", "b"]))
        inputs = {"path": str(tmp_path / "texts.json")}
    return harness.Benchmark(
        "test", "Which is faster?", parsed, workload, inputs, contenders[0].name, **more
    )


def _sleeper(harness, name, seconds, **settings):
    return harness.Contender(
        name, "contender_of_test:sleeper", settings={"seconds": seconds, **settings}
    )


def test_ratios_are_formed_round_by_round(harness):
    from harness import rounds

    assert harness.ratios([2.0, 8.0], [1.0, 4.0]) == [2.0, 2.0]
    found = harness.summary([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found == {"median": 3, "lower_quartile": 2, "upper_quartile": 4, "min": 1, "max": 5}
    assert harness.summary([7.0])["upper_quartile"] == 7
    measured = {"a": {"seconds": [1.0]}, "b": {"seconds": [2.0]}}
    goals = [harness.Goal("a", times, "b") for times in (1.9, 2.1, None)]
    judged = rounds.judge([*goals, harness.Goal("a", 1, "c")], measured)
    assert [goal["met"] for goal in judged] == [True, False, None]


def test_none_always_follows_the_same(harness):
    from harness import rounds

    turns = [rounds.order(["a", "b", "c"], number) for number in range(6)]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert {turn[0] for turn in turns[:3]} == {"a", "b", "c"}
    assert {(a, b) for turn in turns for a, b in itertools.pairwise(turn)} == {
        (a, b) for a in "abc" for b in "abc" if a != b
    }


def test_a_benchmark_of_two_contenders(harness, tmp_path, capsys):
    from harness.session import exit_code

    contenders = [
        _sleeper(harness, "slow", 0.04),
        _sleeper(harness, "quick", 0.01, turn=0.1),
    ]
    result = _benchmark(
        harness,
        tmp_path,
        contenders,
        goals=[harness.Goal("quick", 2.0, "slow")],
        reference="slow",
        notes={"texts": "2"},
    ).run()
    quick = result["contenders"]["quick"]
    assert quick["ratio"]["median"] > 2
    assert result["goals"][0]["met"]
    assert quick["threads"] == {"numpy": 1}
    assert set(quick["versions"]) == {"python", "numpy"}
    assert quick["cosine"] == pytest.approx(0.995004, abs=1e-6)
    assert quick["peak_mb"] > 5
    assert len(quick["measured"]["seconds"]) == 3
    assert json.loads((tmp_path / "test.json").read_text()) == result
    assert "| quick " in (tmp_path / "test.md").read_text()
    assert (tmp_path / "test.png").stat().st_size > 1000
    assert exit_code(result) == 1
    assert "quick differs from the reference: cosine 0.995004" in capsys.readouterr().err


def test_a_process_for_each_turn(harness, tmp_path):
    contender = harness.Contender("fresh", "contender_of_test:loader", fresh=True)
    result = _benchmark(harness, tmp_path, [contender], "workloads:once", inputs={}).run()
    assert len(result["contenders"]["fresh"]["measured"]["peak_mb"]) == 3


def test_a_waiting_contender_does_not_spin(harness, tmp_path):
    from harness.contenders import Running

    spinner = harness.Contender("spinner", "contender_of_test:spinner")
    (tmp_path / "texts.json").write_text("[]")
    inputs = {"path": str(tmp_path / "texts.json")}
    running = Running(spinner, sys.executable, "workloads:all_texts", inputs, {}, tmp_path / "log")

    def ticks():
        fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    try:
        time.sleep(0.05)  # until the signal has arrived
        before = ticks()
        time.sleep(0.3)
        assert ticks() - before <= 0.05 * os.sysconf("SC_CLK_TCK")
    finally:
        running.close()


def test_a_contender_that_fails_says_why(harness, tmp_path):
    from harness.contenders import ContenderError

    contender = _sleeper(harness, "broken", 0, fail=True)
    with pytest.raises(ContenderError, match=r"broken: RuntimeError: no weights here\nTraceback"):
        _benchmark(harness, tmp_path, [contender]).run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--contenders", "none"], r"--contenders takes \['a'\]. Received: \['none'\]"),
        (["--rounds", "0"], "at least 1 was expected. Received: '0'"),
        (["--python", "onnx"], "NAME=VALUE was expected. Received: 'onnx'"),
        (["--data", "nowhere"], "--data must be a folder. Received: nowhere"),
    ],
)
def test_bad_options(harness, tmp_path, capsys, arguments, message):
    import re

    with pytest.raises(SystemExit):
        _benchmark(harness, tmp_path, [_sleeper(harness, "a", 0)], arguments=arguments)
    assert re.search(message, capsys.readouterr().err)
