"""`train`, `evaluate` and `predict` from files to printed answers, and what they refuse."""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from tf_bertembed import cli, training

ROWS = [("A match was won.", "sport"), ("A chip is fast.", "tech")] * 8
SIZES = ["--num-layers", "1", "--num-heads", "2", "--hidden-dim", "8", "--vocabulary-size", "60"]
FIT = ["--epochs", "1", "--batch-size", "8", "--sequence-length", "8"]


def write(path, rows, header="text\tlabel"):
    path.write_text("".join(f"{line}\n" for line in [header, *map("\t".join, rows)]))
    return path


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A RUN that the command made of a file, and what it printed as JSON."""
    folder = tmp_path_factory.mktemp("train")
    train, dev = write(folder / "train.tsv", ROWS), write(folder / "dev.tsv", ROWS[:2])
    arguments = ["--train", str(train), "--dev", str(dev), "--output", str(folder / "run")]
    printed, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        code = cli.main(["train", "classification", *arguments, "--json", *SIZES, *FIT])
    assert "warning: 2 of 2 rows of" in told.getvalue()
    assert code == 0
    return folder / "run", json.loads(printed.getvalue())


def test_training_tells_its_metrics(run):
    folder, report = run
    assert report["rows"] == {"train": 16, "dev": 2}
    assert report["metrics"]["dev"].keys() == {"loss", "accuracy", "macro_f1", "mcc"}
    stored = json.loads((folder / "metrics.json").read_text())
    assert stored["dev"] == report["metrics"]["dev"]


def test_evaluate_and_its_errors(run, tmp_path, capsys):
    folder, _ = run
    # Each text once with either label: one of the two answers is wrong.
    rows = [(text, label) for text, _ in ROWS[:2] for label in ("sport", "tech")]
    data = write(tmp_path / "test.tsv", rows)
    arguments = ["evaluate", str(folder), "--data", str(data)]
    errors = tmp_path / "errors.tsv"
    assert cli.main([*arguments, "--errors", str(errors)]) == 0
    assert "accuracy     0.5000" in capsys.readouterr().out
    lines = [line.split("\t") for line in errors.read_text().splitlines()]
    assert lines[0] == ["text", "label", "predicted", "probability", "probability_of_label"]
    assert len(lines) == 3
    assert float(lines[1][4]) <= float(lines[2][4])
    assert cli.main([*arguments, "--errors", str(errors)]) == 2
    assert "errors.tsv already exists" in capsys.readouterr().err
    assert cli.main([*arguments, "--errors", str(tmp_path / "errors.txt")]) == 2
    assert ".tsv or a .csv. Received" in capsys.readouterr().err
    assert cli.main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["metrics"]["accuracy"] == 0.5
    assert report["details"]["classes"]["sport"]["count"] == 2


def test_predict(run, tmp_path, capsys, monkeypatch):
    folder, _ = run
    texts = ["A match was won.", "", "我住在北京 🙂"]
    plain = tmp_path / "texts.txt"
    plain.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    assert cli.main(["predict", str(folder), str(plain)]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    _, task = training.recipes.load_run(folder)
    assert printed == task.answer(texts)
    monkeypatch.setattr(sys, "stdin", io.StringIO(plain.read_text(encoding="utf-8")))
    assert cli.main(["predict", str(folder), "-"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == printed
    table = write(tmp_path / "texts.tsv", [("A match was won.",)], header="text")
    output = tmp_path / "answers.jsonl"
    arguments = ["predict", str(folder), str(table), "--output", str(output)]
    assert cli.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1
    assert json.loads(output.read_text()) == printed[0]
    assert cli.main(arguments) == 2
    assert "answers.jsonl already exists" in capsys.readouterr().err
    for place, message in (
        (folder, "is, or holds, what is to be read"),
        (table, "is, or holds, what is to be read"),
        (tmp_path / "held", "A file is to be written"),
    ):
        (tmp_path / "held").mkdir(exist_ok=True)
        assert cli.main([*arguments[:3], "--output", str(place), "--force"]) == 2
        assert message in capsys.readouterr().err
    assert cli.main(["predict", str(folder), str(plain), "--json"]) == 2
    assert "give --output" in capsys.readouterr().err


BAD = {
    "a missing column": ([("a", "x")], "sentence\tlabel", [], "line 1: The column `text` is miss"),
    "an empty text": ([("a", "x"), (" ", "y")], None, [], "line 3: `text` must be a string that"),
    "one class only": ([("a", "x"), ("b", "x")], None, [], "At least two labels must occur"),
    "an unknown label in dev": (ROWS, None, ["--dev", "DEV"], "line 2: The label 'odd' is not am"),
    "too few for folds": (ROWS[:2], None, ["--folds", "2"], "as many rows of each class"),
    "vectors without a use": (ROWS, None, ["--output-fusion", "add"], "need `vectors`"),
    "an unknown backbone": (ROWS, None, ["--backbone", "none"], "none does not exist"),
    "a weight of no class": (ROWS, None, ["--class-weight", "odd=2"], "`class_weight` for labels"),
    "a weight that is none": (ROWS, None, ["--class-weight", "odd"], "or LABEL=NUMBER for each"),
    "heads that do not fit": (ROWS, None, ["--num-heads", "3"], "num_heads"),
    "layers that are none": (ROWS, None, ["--layers", "top"], "`layers` (--layers) must be"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_trained_on_ends_with_one_line(name, tmp_path, capsys):
    rows, header, more, message = BAD[name]
    train = write(tmp_path / "train.tsv", rows, header or "text\tlabel")
    dev = write(tmp_path / "dev.tsv", [("c", "odd")])
    more = [str(dev) if word == "DEV" else word for word in more]
    output = tmp_path / "run"
    arguments = ["--train", str(train), "--output", str(output), *SIZES, *FIT, *more]
    assert cli.main(["train", "classification", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.tsv", "train.tsv"]


def test_an_output_that_is_there_is_told_first(tmp_path, capsys):
    arguments = ["--train", str(tmp_path / "no.tsv"), "--output", str(tmp_path)]
    assert cli.main(["train", "classification", *arguments]) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["evaluate", "RUN", "--data", "a.tsv"], ["predict", "RUN", "-"]]
)
def test_a_folder_that_is_no_run(command, tmp_path, capsys):
    assert cli.main([str(tmp_path) if word == "RUN" else word for word in command]) == 2
    assert "task.json does not exist. A RUN that" in capsys.readouterr().err
    (tmp_path / "task.json").write_text('{"class_name": "Cook"}')
    assert cli.main([str(tmp_path) if word == "RUN" else word for word in command]) == 2
    assert "Received: 'Cook'" in capsys.readouterr().err
    assert Path(tmp_path / "task.json").exists()
