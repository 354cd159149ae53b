"""When the Makefile installs and when it does not, with a stand-in for Python that notes its calls.

A real installation takes minutes; `make test` itself is one.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

STAND_IN = """#!/bin/sh
echo "$*" >> calls
case "$*" in
    "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip install "*) test ! -e pip-is-broken ;;
esac
"""


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    for name in ("Makefile", "setup.py"):
        shutil.copy(ROOT / name, folder)
    python = tmp_path / "python of mine"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    return folder


def make(clone, *arguments, python="../python of mine"):
    """Run make; give its result and the calls of Python that did something."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", f"PYTHON={python}", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    calls = clone / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return done, [line for line in lines if not line.startswith("-c") and "--version" not in line]


def test_the_first_run_installs_and_the_second_does_not(clone):
    done, calls = make(clone, "demo")
    assert done.returncode == 0, done.stderr
    run = "-m tf_bertembed quickstart"
    assert calls == ["-m venv --clear .venv", "-m pip install -e .[demo]", run]
    assert make(clone, "demo")[1] == [run]


def test_what_the_tests_need_holds_what_the_demo_needs(clone):
    tests = "-m pytest -n logical --maxprocesses 2 --dist worksteal"
    checks = ["-m ruff check .", "-m ruff format --check .", tests]
    _, calls = make(clone, "test")
    assert calls == ["-m venv --clear .venv", "-m pip install -e .[dev]", *checks]
    assert make(clone, "demo")[1] == ["-m tf_bertembed quickstart"]
    assert make(clone, "test-all")[1] == [*checks[:2], f"{tests} -m slow or not slow"]


def test_a_new_setup_is_installed_into_the_same_environment(clone):
    make(clone, "demo")
    later = (clone / ".venv" / ".installed-demo").stat().st_mtime + 5
    os.utime(clone / "setup.py", (later, later))
    assert make(clone, "demo")[1][0] == "-m pip install -e .[demo]"


def test_an_install_that_broke_off_is_done_again(clone):
    (clone / "pip-is-broken").touch()
    done, calls = make(clone, "demo")
    assert done.returncode != 0
    assert calls[-1] == "-m pip install -e .[demo]"
    assert not (clone / ".venv" / ".installed-demo").exists()
    (clone / "pip-is-broken").unlink()
    done, calls = make(clone, "demo")
    assert done.returncode == 0
    assert calls == ["-m pip install -e .[demo]", "-m tf_bertembed quickstart"]


def test_no_usable_python_is_said_clearly(clone):
    done, _ = make(clone, "test", python="/no/such/python")
    assert done.returncode != 0
    assert "error: no usable Python 3.11, 3.12 or 3.13" in done.stderr
    assert "Tried: /no/such/python." in done.stderr
    assert not (clone / ".venv").exists()


def test_clean_removes_the_environment(clone):
    make(clone, "demo")
    assert make(clone, "clean")[0].returncode == 0
    assert {path.name for path in clone.iterdir()} == {"Makefile", "setup.py"}


def test_failing_checks_fail_the_script_of_the_continuous_integration(clone):
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    (clone / "pip-is-broken").touch()
    done = subprocess.run(
        ["bash", str(clone / ".ci" / "run")],
        env={**os.environ, "PYTHON": "../python of mine"},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
