"""`tf-bertembed compare`: what it prints, writes and refuses."""

import json

import pytest
from gensim.test.utils import datapath

from tf_bertembed import cli, models, text


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    with open(datapath("pang_lee_polarity.cor"), encoding="cp1252") as file:
        rows = [line.rstrip().replace(" ", "\t", 1) for line in file][::5]
    (folder / "reviews.tsv").write_text("\n".join(["label\ttext", *rows]), encoding="utf-8")
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film", "##s"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, folder / "bert", tokenizer)
    return folder


def arguments(place, output, *more):
    return [
        *("compare", "--train", str(place / "reviews.tsv"), "--output", str(place / output)),
        *("--vectors", datapath("test_glove.txt"), "--backbone", str(place / "bert")),
        *("--folds", "2", "--repeats", "1", *more),
    ]


def test_a_table_and_a_verdict(place, capsys):
    assert cli.main(arguments(place, "one", "--budgets", "5")) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split() == ["accuracy", "5", "a", "class"]
    assert " is best: accuracy 0." in told
    assert told.rstrip().endswith(f"figures: {place / 'one'}")


@pytest.mark.slow
def test_the_same_seed_and_json(place, capsys):
    assert cli.main(arguments(place, "first", "--budgets", "5,all", "--seed", "3")) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split() == ["accuracy", "5", "a", "class", "all"]
    again = ["--budgets", "5", "--budgets", "all", "--seed", "3", "--json"]
    assert cli.main(arguments(place, "second", "--cache", str(place / "first-cache"), *again)) == 0
    report = json.loads(capsys.readouterr().out)
    first = json.loads((place / "first" / "results.json").read_text(encoding="utf-8"))
    assert report["budgets"] == first["budgets"]
    assert report["seed"] == 3


def test_what_is_refused(place, capsys):
    (place / "there").mkdir()
    for output, more, message in (
        ("there", (), "already exists"),
        ("new", ("--budgets", "few"), "A budget is a number of labels"),
        ("new", ("--test", str(place / "no.tsv")), "no.tsv does not exist"),
    ):
        assert cli.main(arguments(place, output, *more)) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert message in line
    assert not (place / "new").exists()
