"""`tf-bertembed vectors info` with a vocabulary, a corpus and a plot."""

import json

import pytest
from gensim.test.utils import datapath

from tf_bertembed import cli, text

GLOVE = datapath("test_glove.txt")


def run(*arguments):
    return cli.main(["vectors", "info", GLOVE, *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    vocabulary, corpus = tmp_path / "vocab.txt", tmp_path / "corpus.txt"
    pieces = [*text.SPECIAL_TOKENS, "the", "of", "and", "a", "##bout", "ω"]
    text.save_vocabulary(pieces, vocabulary)
    corpus.write_text("The about, of\nand of\n", encoding="utf-8")
    return vocabulary, corpus


def test_shares_of_a_corpus_and_a_plot(files, tmp_path, capsys):
    vocabulary, corpus = files
    plot = tmp_path / "coverage.png"
    arguments = ("--vocabulary", vocabulary, "--corpus", corpus, "--plot", plot, "--json")
    assert run(*arguments) == 0
    methods = json.loads(capsys.readouterr().out)["coverage"]["methods"]
    # the of and of a + ##bout, and one [UNK] for the comma
    assert methods["exact"]["occurrences"] == 5
    assert methods["rescaled"]["occurrences"] == 1
    assert methods["special"]["occurrence_share"] == 1 / 7
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert run(*arguments) == 2
    assert "coverage.png already exists" in capsys.readouterr().err
    assert run(*arguments, "--force") == 0


@pytest.mark.parametrize("compose", ["least-squares", "neighbours", "words-rescaled"])
def test_composed_as_asked(files, capsys, compose):
    vocabulary, corpus = files
    assert run("--vocabulary", vocabulary, "--corpus", corpus, "--compose", compose) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "##bout" in line]
    assert line.startswith(compose.removeprefix("words-"))
    assert "0.0909  0.1429" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "x.png"], "--compose, --corpus and --plot need --vocabulary."),
        (["--compose", "ngrams", "--vocabulary", "vocab.txt"], "needs vectors with n-grams"),
        (["--vocabulary", "vocab.txt", "--plot", "x.gif"], "as .png, .pdf, .svg"),
        (["--vocabulary", "vocab.txt", "--corpus", "nowhere.txt"], "nowhere.txt does not exist"),
    ],
)
def test_what_cannot_be_reported(files, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(files[0].parent)
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err
