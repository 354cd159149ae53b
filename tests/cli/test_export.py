"""`tf-bertembed export` from a RUN to a version that is verified."""

import json

import pytest

from tf_bertembed import cli, export, models, tasks, text

PIECES = [*text.SPECIAL_TOKENS, "a", "match", "chip"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    backbone = models.BertEmbedBackbone(len(PIECES), 1, 2, 8, 16, max_sequence_length=16)
    tokenizer = text.BertEmbedTokenizer(PIECES)
    preprocessor = text.Preprocessor(tokenizer, 16)
    run = folder / "run"
    tasks.TextClassifier(backbone, ["sport", "tech"], preprocessor).save_to_preset(run)
    (run / "metrics.json").write_text('{"accuracy": 0.75, "details": {}}')
    tasks.TextClassifier(backbone, ["sport", "tech"]).save_to_preset(folder / "bare")
    (folder / "texts.txt").write_text("A match.\n🙂 chip\n" * 50, encoding="utf-8")
    (folder / "pairs.tsv").write_text("text_a\ttext_b\na\tb\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def in_runs(runs, monkeypatch):
    monkeypatch.chdir(runs)


def test_a_run_is_exported_and_told(runs, capsys):
    arguments = ["export", "run", "--output", "saved/news", "--examples", "texts.txt"]
    assert cli.main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == "saved/news/1"
    assert told["metrics"] == {"accuracy": 0.75}
    assert set(told["signatures"]) == {"serving_default", "classify", "embed", "tokenize"}
    record = json.loads((runs / "saved/news/1/assets.extra/tf_bertembed.json").read_text())
    assert record["inputs"]["text"] == ["A match.", "🙂 chip"] * 32
    assert cli.main([*arguments, "--version", "1"]) == 2
    error = capsys.readouterr().err
    assert "saved/news/1 already exists. Choose another version" in error
    assert "(--force)" in error


@pytest.mark.slow
def test_versions_and_precisions(capsys):
    arguments = ["export", "run", "--output", "saved/versions"]
    assert cli.main(arguments) == 0
    assert " requests for the server's warm-up" in capsys.readouterr().out
    assert cli.main(["verify", "saved/versions/1"]) == 0
    capsys.readouterr()
    assert cli.main([*arguments, "--precision", "bfloat16", "--no-warm-up"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("saved/versions/2  TextClassifier, ")
    assert lines[0].endswith(" MB, bfloat16")
    assert "  classify: inputs -> classes, scores" in lines
    assert any("of those of float32" in line for line in lines)
    assert not any("warm-up" in line for line in lines)
    assert cli.main([*arguments, "--version", "2", "--force"]) == 0
    assert export.read_metadata("saved/versions/2")["precision"] == "float32"


def test_bad_input_is_one_line(runs, capsys):
    (runs / "file").write_text("text")
    (runs / "empty").mkdir(exist_ok=True)
    for arguments, message in (
        (["none", "--output", "saved/x"], "task.json does not exist. A RUN that"),
        (["empty", "--output", "saved/x"], "task.json does not exist. A RUN that"),
        (["file", "--output", "saved/x"], "file"),
        (["bare", "--output", "saved/x"], "preprocessor"),
        (["run", "--output", "file"], "file: A folder for the model's versions"),
        (["run", "--output", "saved/x", "--version", "0"], "--version"),
        (["run", "--output", "saved/x", "--version", str(2**63)], "--version"),
        (["run", "--output", "saved/x", "--precision", "int8"], "--precision"),
        (["run", "--output", "saved/x", "--examples", "none.txt"], "none.txt does not exist"),
        (["run", "--output", "saved/x", "--examples", "pairs.tsv"], "must be a string (text)"),
        (["run"], "Missing option '--output'"),
    ):
        assert cli.main(["export", *arguments]) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (runs / "saved" / "x").exists()
