"""The measures of `benchmarks/alignment.py`, on vectors where the answer is known."""

import sys

import numpy as np
import pytest
from gensim.models import KeyedVectors

from tf_bertembed.vectors.alignment import alignment


@pytest.fixture(scope="module")
def benchmark(import_scripts):
    with import_scripts("alignment") as (script,):
        yield script


@pytest.fixture(scope="module")
def trials(import_scripts):
    with import_scripts("alignment_trials") as (script,):
        yield script


@pytest.fixture(scope="module")
def trial(trials):
    """Words that are the sum of their parts: `walk` + `##ing` and so on."""
    generator = np.random.default_rng(0)
    starts = {name: generator.normal(size=16) for name in ("walk", "sing", "read", "sail")}
    ends = {name: generator.normal(size=16) for name in ("ing", "s", "er")}
    table = {f"{a}{b}": starts[a] + ends[b] for a in starts for b in ends}
    truth = KeyedVectors(16)
    words = [*table, *starts]
    truth.add_vectors(words, np.array([*table.values(), *starts.values()], np.float32))
    kept = [word for word in words if word not in ("singer", "read")]
    known = KeyedVectors(16)
    known.add_vectors(kept, truth[kept])
    vocabulary = ["[PAD]", *starts, *(f"##{end}" for end in ends)]
    return trials.Trial(
        known, vocabulary, truth, ["singer"], ["read"], ["read sails", "the walker"], wordsim=False
    )


def test_what_is_the_sum_of_its_parts_is_found_by_least_squares(benchmark, trial):
    ways = list(benchmark.align_all(trial, variants=False))
    names = [name for name, *_ in ways]
    assert names == [
        *("random", "words", "words-rescaled", "least-squares", "least-squares-free"),
        *("neighbours", "neighbours, texts"),
    ]
    found = {name: benchmark.measure(trial, matrix, ["read"]) for name, matrix, _, _ in ways}
    assert found["least-squares"]["cosine"] > 0.9
    assert found["least-squares"]["cosine"] > found["words"]["cosine"]
    assert found["least-squares"]["median_rank"] == 1
    assert found["least-squares"]["piece_cosine"] > 0.9
    assert all(made[trial.vocabulary.index("read")] for _, _, made, _ in ways)


def test_the_right_vectors_have_all_measures_right(benchmark, trial):
    matrix = np.zeros((len(trial.vocabulary), 16), np.float32)
    for row, piece in enumerate(trial.vocabulary):
        matrix[row] = trial.truth["singer"] if piece in ("sing", "##er") else 0
    matrix[trial.vocabulary.index("read")] = trial.truth["read"]
    found = benchmark.measure(trial, matrix, ["read"])
    for name in ("cosine", "median_rank", "reciprocal_rank", "length_ratio", "piece_cosine"):
        assert found[name] == pytest.approx(1), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--settings", "tencent-chinese"], "tencent-chinese needs --data"),
        (["--hide", "0"], "--hide must be at least 1. Received: 0."),
        (["--settings", "other"], "invalid choice: 'other'"),
    ],
)
def test_bad_arguments(benchmark, arguments, message, monkeypatch, capsys, tmp_path):
    output = tmp_path / "table.csv"
    monkeypatch.setattr(sys, "argv", ["alignment.py", "--output", str(output), *arguments])
    with pytest.raises(SystemExit):
        benchmark.main()
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_variants_are_left_out_of_what_is_offered(benchmark, trial):
    offered = dict(alignment.COMPOSITIONS)
    names = [name for name, *_ in benchmark.align_all(trial, variants=True)]
    assert set(benchmark.VARIANTS) < set(names)
    assert offered == alignment.COMPOSITIONS
