"""The scripts of `benchmarks/`, which import one another by their plain names."""

import contextlib
import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def import_scripts():
    """A function: names of scripts to a context in which they are imported, and a list of them."""
    if not FOLDER.exists():
        pytest.skip("benchmarks/ is in the repository only")

    @contextlib.contextmanager
    def imported(*names):
        before = set(sys.modules)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(FOLDER))
            yield [importlib.import_module(name) for name in names]
        for name in {path.stem for path in FOLDER.glob("*.py")} & set(sys.modules) - before:
            del sys.modules[name]

    return imported
