import json

import pytest
from gensim.test.utils import datapath

from tf_bertembed import cli

LEE = datapath("lee_fasttext.vec")


def run(*arguments):
    return cli.main(["vectors", "evaluate", *map(str, arguments)])


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(": all\nthe of and to\nthe of and Nowhere\n", encoding="utf-8")
    return path


def test_all_in_one_document(tmp_path, capsys, questions):
    picture = tmp_path / "map.png"
    arguments = (
        *(LEE, "--pairs", "wordsim-353", "--analogies", questions, "--neighbours", "government"),
        *("--count", 2, "--map", picture, "--map-words", 5, "--json"),
    )
    assert run(*arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["words"], report["width"]) == (1762, 10)
    assert report["similarity"][0]["used"] == 45
    assert report["analogies"]["used"] == 1
    assert len(report["neighbours"][0]["neighbours"]) == 2
    assert len(report["map"]["points"]) == 5
    assert picture.exists()
    assert run(*arguments) == 2
    assert "map.png already exists" in capsys.readouterr().err
    assert run(*arguments, "--force") == 0


def test_as_text(tmp_path, capsys, questions):
    (tmp_path / "words.txt").write_text("the\nof\nand\nnowhere\n", encoding="utf-8")
    picture = tmp_path / "map.png"
    assert (
        run(
            *(LEE, "--pairs", "wordsim-353", "--analogies", questions, "--neighbours", "of"),
            *("--map", picture, "--words", tmp_path / "words.txt"),
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "1762 words, 10 numbers each" in out
    assert " 0.8725  wordsim-353" in out
    assert "unknown: love, tiger, cat, book, paper and " in out
    assert "among the first 1762 words" in out
    assert "left out, no vector: nowhere" in out


def test_the_default_is_what_gensim_carries(capsys):
    assert run("glove-6b-50d", "--limit", 1500, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in report["similarity"]] == ["wordsim-353", "simlex-999"]
    assert report["analogies"]["name"] == "questions-words"
    assert report["analogies"]["restrict_vocab"] == 1500
    assert "map" not in report
    assert "neighbours" not in report


def test_bad_input_is_one_line(tmp_path, capsys):
    two = tmp_path / "two.tsv"
    two.write_text("a\tb\n", encoding="utf-8")
    for arguments, message in (
        ((LEE, "--pairs", two), "two.tsv, line 1: Three columns were expected"),
        ((LEE, "--pairs", "nowhere"), "nowhere does not exist"),
        ((LEE, "--neighbours", "goverment"), "Did you mean 'government'"),
        ((LEE, "--words", two), "--words and --map-words need --map"),
        ((LEE, "--map", "m.png", "--words", two, "--map-words", 3), "only one of --words"),
        (("nowhere",), "nowhere does not exist"),
    ):
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
