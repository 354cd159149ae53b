"""Real reviews in data files, and a model so small that a fit takes a second."""

import warnings
from pathlib import Path

import pytest
import tensorflow as tf
from gensim.test.utils import datapath

from tf_bertembed import training
from tf_bertembed.training.recipes import Examples

LENGTH = 16


@pytest.fixture(scope="session")
def review_rows():
    """Pairs of a film review's sentence and its sentiment, in turns."""
    lines = Path(datapath("pang_lee_polarity.cor")).read_text(encoding="cp1252").splitlines()
    pairs = [line.removeprefix("__label__").split(" ", 1) for line in lines]
    names = {"pos": "positive", "neg": "negative"}
    sides = [list(dict.fromkeys(t for label, t in pairs if label == side)) for side in names]
    return [
        (sentence, label)
        for both in zip(*sides, strict=False)
        for sentence, label in zip(both, names.values(), strict=True)
    ]


@pytest.fixture(scope="session")
def make_examples(review_rows):
    def make(first, count):
        texts, labels = zip(*review_rows[first : first + count], strict=True)
        return Examples((list(texts),), list(labels))

    return make


@pytest.fixture(scope="session")
def write_tsv():
    def write(path, rows, header="text\tlabel"):
        lines = [header, *("\t".join(row) for row in rows)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def tiny_start():
    def make(**arguments):
        sizes = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "vocabulary_size": 200}
        return training.ModelStart(**{**sizes, **arguments})

    return make


@pytest.fixture(scope="session")
def tiny_settings():
    def make(**arguments):
        sizes = {"epochs": 1, "batch_size": 8, "sequence_length": LENGTH, "learning_rate": 0.01}
        return training.FitSettings(**{**sizes, **arguments})

    return make


@pytest.fixture
def eagerly():
    """A few steps run quicker than they are traced."""
    warnings.filterwarnings("ignore", "Even though the `tf.config.experimental_run_functions")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
