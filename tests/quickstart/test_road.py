"""The demo itself, in its fast form, as a user runs it."""

import json
import subprocess
import sys

import pytest

from tf_bertembed import common, quickstart


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("the demo")
    done = subprocess.run(
        [sys.executable, "-m", "tf_bertembed", "quickstart", "--fast", "--output", str(folder)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "runs" / "quickstart" / "1" / "results.json").read_text())
    return folder, done, results


@pytest.mark.slow
def test_all_that_it_made_lies_under_its_output(demo):
    folder, _, _ = demo
    assert {entry.name for entry in folder.iterdir()} == {"runs", "saved_models"}
    assert (folder / "saved_models" / "bbc" / "1" / "saved_model.pb").exists()
    run = folder / "runs" / "quickstart" / "1"
    for name in ("pretraining.png", "probe.png", "results.json"):
        assert (run / name).stat().st_size > 0
    for name in ("config.json", "vocab.txt", "metrics.json", "history.csv", "history.png"):
        assert (run / "small" / name).stat().st_size > 0
        assert (run / "all-minilm-l6-v2" / name).stat().st_size > 0


@pytest.mark.slow
def test_the_printed_numbers_are_the_runs_own(demo):
    _, done, results = demo
    for metrics in results["fine_tuning"].values():
        assert f"{metrics['accuracy']:.3f}" in done.stdout
    for losses in results["pretraining"]["curves"].values():
        assert f"{losses[-1]:.3f}" in done.stdout
    for answer in results["answers"].values():
        assert answer in done.stdout
    assert "pretraining.png" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_place_that_a_file_blocks_is_said_at_once(tmp_path):
    (tmp_path / "saved_models").write_text("a file")
    with pytest.raises(common.BertEmbedError, match="saved_models is a file"):
        quickstart.run(output=tmp_path, fast=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["saved_models"]


@pytest.mark.slow
def test_the_exported_model_was_verified(demo):
    _, _, results = demo
    assert results["export"]["ok"]
    assert results["export"]["difference"] <= 1e-5


@pytest.mark.slow
def test_a_warm_start_learns_faster(demo):
    _, _, results = demo
    curves = results["pretraining"]["curves"]
    assert curves["warm"][-1] < curves["cold"][-1]


@pytest.mark.slow
def test_every_feature_beats_chance(demo):
    _, _, results = demo
    assert set(results["probe"]) == {"TF-IDF", "word vectors", "BERT", "BERT + word vectors"}
    for budgets in results["probe"].values():
        assert set(budgets) == {"10", "all"}
        # The largest of the five topics has a quarter of the articles.
        assert all(min(scores) > 0.5 for scores in budgets.values())
