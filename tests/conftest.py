"""Memory is kept between the models of the tests; a fixture for several folders."""

import importlib.util
from pathlib import Path

import pytest

from tf_bertembed.cli.native import keep_freed_memory

keep_freed_memory()


@pytest.fixture(scope="session")
def google_checkpoints():
    """The module that writes Google's checkpoints, which tests of several folders use."""
    place = Path(__file__).parent / "models" / "google_checkpoints.py"
    spec = importlib.util.spec_from_file_location("tests_google_checkpoints", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
