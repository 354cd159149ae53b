"""The scripts of `benchmarks/`, as far as a moment tells."""

import importlib.util
import sys
from pathlib import Path

import pytest

import tf_bertembed

FOLDER = Path(tf_bertembed.__file__).parent.parent / "benchmarks"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="benchmarks/ is in the repository only")


@pytest.fixture(scope="module")
def warm_start():
    spec = importlib.util.spec_from_file_location("warm_start", FOLDER / "warm_start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("steps", [1, 3, 4, 200, 201, 203])
def test_the_last_loss_is_that_of_the_last_step(warm_start, steps):
    measured = warm_start.measured_steps(steps)
    assert (measured[0], measured[-1], len(measured)) == (0, steps, min(steps, 4) + 1)
    assert measured == sorted(set(measured))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps must be at least 1. Received: 0."),
        (["--hidden-dim", "30"], "--hidden-dim must be a multiple of 4. Received: 30."),
        (["--scales", "own", "x"], "argument --scales: invalid scale value: 'x'"),
    ],
)
def test_bad_arguments(warm_start, arguments, message, monkeypatch, capsys, tmp_path):
    output = tmp_path / "table.csv"
    monkeypatch.setattr(sys, "argv", ["warm_start.py", "--output", str(output), *arguments])
    with pytest.raises(SystemExit):
        warm_start.main()
    assert message in capsys.readouterr().err
    assert not output.exists()
