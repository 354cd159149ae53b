import json
from pathlib import Path

import pytest
from gensim.test.utils import datapath

from tf_bertembed import cli, models, text

GLOVE = datapath("test_glove.txt")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A RUN of real pieces, a new vocabulary, a corpus, and files that are wrong."""
    place = tmp_path_factory.mktemp("transfer")
    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()
    old, new = (text.train_vocabulary(part, 300) for part in (lines[:20], lines[20:40]))
    models.BertEmbedBackbone(300, 1, 2, 8, 16, max_sequence_length=16).save_to_preset(
        str(place / "run")
    )
    text.Preprocessor(text.BertEmbedTokenizer(old), 16).save_to_preset(str(place / "run"))
    text.save_vocabulary(new, place / "new.txt")
    (place / "corpus.txt").write_text("\n".join(lines[20:40]))
    (place / "bare.txt").write_text("the\na\n")
    (place / "pairs.tsv").write_text("dog\tHund\ncat Katze\n")
    return place


def run(place, out, *arguments):
    source = ["checkpoint", "transfer", str(place / "run"), "--output", str(out)]
    return cli.main([*source, *(str(argument) for argument in arguments)])


def test_another_vocabulary(place, tmp_path, capsys):
    arguments = ["--vocabulary", place / "new.txt", "--vectors", GLOVE]
    assert run(place, tmp_path / "a", *arguments, "--corpus", place / "corpus.txt") == 0
    shown = capsys.readouterr().out
    assert "vocabulary: 300 pieces -> 300, method focus" in shown
    for line in ("copied", "mixed", "mean", "of text", "pieces a word before", "head: none"):
        assert line in shown
    assert models.load(tmp_path / "a").vocabulary_size == 300
    assert run(place, tmp_path / "a", *arguments, "--force", "--json", "--method", "focus") == 0
    report = json.loads(capsys.readouterr().out)
    assert sum(row["count"] for row in report["ways"].values()) == 300
    assert "before" not in report


def test_more_words(place, tmp_path, capsys):
    arguments = ["--extend", place / "corpus.txt", "--size", 30, "--method", "mean"]
    assert run(place, tmp_path / "a", *arguments) == 0
    shown = capsys.readouterr().out
    assert "300 pieces -> 330, method mean" in shown
    (added,) = [line for line in shown.splitlines() if line.startswith("  added: ")]
    assert added.endswith(", ...")
    assert run(place, tmp_path / "b", *arguments[:3], 2, *arguments[4:]) == 0
    (added,) = [line for line in capsys.readouterr().out.splitlines() if "  added: " in line]
    assert added.count(",") == 1
    assert "..." not in added


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give one of --vocabulary and --extend."),
        (["--vocabulary", "new.txt", "--extend", "corpus.txt"], "Give one of --vocabulary"),
        (["--vocabulary", "new.txt", "--size", "3"], "--extend and --size belong together."),
        (["--extend", "corpus.txt"], "--extend and --size belong together."),
        (["--vocabulary", "bare.txt"], 'bare.txt: Cannot find the special token "[PAD]"'),
        (["--vocabulary", "no.txt"], "no.txt does not exist. A vocabulary file is UTF-8"),
        (["--vocabulary", "new.txt", "--vectors", "no.txt"], "no.txt does not exist. "),
        (
            ["--vocabulary", "new.txt", "--method", "wechsel"],
            "needs word vectors of both languages",
        ),
        (
            ["--vocabulary", "new.txt", "--dictionary", "pairs.tsv"],
            "pairs.tsv, line 2: A dictionary has a pair on each line",
        ),
        (["--vocabulary", "new.txt", "--method", "focus"], "needs a space to compare pieces in"),
        (
            ["--extend", "corpus.txt", "--size", "3", "--corpus", "corpus.txt"],
            "--extend is the corpus too.",
        ),
        (["--vocabulary", "new.txt", "--method", "best"], "Invalid value for '--method'"),
    ],
)
def test_an_error_is_one_line(arguments, message, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert run(place, tmp_path / "out", *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_not_replaced(place, capsys):
    arguments = ["--vocabulary", place / "new.txt", "--force"]
    assert run(place, place / "run", *arguments) == 2
    assert "would replace it" in capsys.readouterr().err


def test_help(capsys):
    assert cli.main(["checkpoint", "transfer", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--vocabulary", "--extend", "--dictionary", "--seed", "--json", "--force"):
        assert option in shown
