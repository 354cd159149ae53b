"""Memory is kept between the models of the tests; fixtures for several folders."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from tf_bertembed import common
from tf_bertembed.cli.native import keep_freed_memory

keep_freed_memory()


@pytest.fixture(scope="session")
def development_data():
    """The folder of development data, which slow tests alone need."""
    folder = os.environ.get("TF_BERTEMBED_DATA")
    if not folder:
        pytest.skip("TF_BERTEMBED_DATA does not name the folder of development data")
    return Path(folder)


@pytest.fixture(scope="session")
def stanford_corpus(development_data, tmp_path_factory):
    """A corpus as Stanford's GloVe was given it, and the figures that it gave."""
    path = tmp_path_factory.mktemp("stanford") / "corpus.txt"
    with path.open("w", encoding="utf-8") as file:
        for part in ("valid", "test"):
            for _, line in common.read_lines(development_data / "wikitext2" / f"{part}.txt"):
                if line.strip():
                    file.write(line.replace("<unk>", "<raw_unk>") + "\n")
    return path, json.loads((development_data / "glove-c-reference.json").read_text())


@pytest.fixture(scope="session")
def google_checkpoints():
    """The module that writes Google's checkpoints, which tests of several folders use."""
    place = Path(__file__).parent / "models" / "google_checkpoints.py"
    spec = importlib.util.spec_from_file_location("tests_google_checkpoints", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
