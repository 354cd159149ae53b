import json

import pytest

from tf_bertembed import cli

SMALL = ["--num-layers", "1", "--num-heads", "2", "--hidden-dim", "16", "--vocabulary-size", "200"]
SHORT = ["--epochs", "1", "--batch-size", "4", "--sequence-length", "16", "--output", "run"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("Ada B-PER\nwrote\n", [], "a.conll, line 2: A word and its tag were expected"),
        ("Ada B-PER\nx M-PER\ny L-PER\n", [], "a.conll: Tags of entities must be of one scheme"),
        ("Ada O\nwrote O\n", [], "At least two tags must occur. Received: 'O' only."),
        ("I PRON\nrun VERB\n", ["--metric", "f1"], "must be one of accuracy, macro_f1"),
        ("I PRON\nrun VERB\n", ["--column", "xpos"], "with the suffix .conllu"),
        ("I PRON\nrun VERB\n", ["--split", "sentences"], "--split"),
    ],
)
def test_bad_input_is_one_line(folder, capsys, content, options, message):
    (folder / "a.conll").write_text(content, encoding="utf-8")
    train = ["train", "tagging", "--train", "a.conll", *SMALL, *SHORT, *options]
    assert cli.main(train) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (folder / "run").exists()


@pytest.mark.slow
def test_train_evaluate_and_predict(folder, capsys):
    sentence = "我 S-PER\n住 O\n在 O\n北 B-LOC\n京 E-LOC\n。 O\n"
    (folder / "a.bmes").write_text("\n".join([sentence] * 8), encoding="utf-8")
    train = ["train", "tagging", "--train", "a.bmes", *SMALL, *SHORT]
    assert cli.main([*train, "--learning-rate", "0.01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "tagging"
    assert cli.main(["evaluate", "run", "--data", "a.bmes", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert set(metrics) == {"loss", "precision", "recall", "f1", "accuracy"}
    (folder / "in.txt").write_text("🙂我住在北京。\n", encoding="utf-8")
    assert cli.main(["predict", "run", "in.txt"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["words"] == [*"🙂我住在北京。"]
    assert answer["ends"] == [1, 2, 3, 4, 5, 6, 7]
