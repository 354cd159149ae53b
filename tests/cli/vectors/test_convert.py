import json
import shutil

import pytest
from gensim.test.utils import datapath

from tf_bertembed import cli, text, vectors

REAL = datapath("test_glove.txt")


def test_info(tmp_path, capsys):
    text.save_vocabulary([*text.SPECIAL_TOKENS, "the", "of"], tmp_path / "vocab.txt")
    command = ["vectors", "info", REAL, "--vocabulary", str(tmp_path / "vocab.txt")]
    assert cli.main(command) == 0
    shown = capsys.readouterr().out
    assert "GloVe text\n  76 words, 50 numbers each\n" in shown
    assert "exact             2" in shown
    assert cli.main([*command, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert (numbers["format"], numbers["words"], numbers["zero_rows"]) == ("glove", 76, 0)
    assert numbers["coverage"]["methods"]["exact"]["count"] == 2


def test_convert(tmp_path, capsys):
    output = tmp_path / "glove"
    command = ["vectors", "convert", REAL, "--output", str(output), "--limit", "9"]
    assert cli.main(command) == 0
    assert capsys.readouterr().out == (
        f"{REAL} (glove) -> {output} (folder): 9 words, 50 numbers each\n"
    )
    assert vectors.load(output).index_to_key == vectors.load(REAL, limit=9).index_to_key
    assert cli.main(command) == 2
    assert "already exists" in capsys.readouterr().err
    assert cli.main([*command, "--force", "--format", "folder", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "source": REAL,
        "source_format": "glove",
        "output": str(output),
        "format": "folder",
        "words": 9,
        "width": 50,
        "left_out": [],
    }


def test_bad_lines_and_pickles(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("the 0.5 1.5\nof 0.5\nking 1.5 nan\n")
    shutil.copy(datapath("old_keyedvectors_320.dat"), tmp_path / "a.kv")
    output = ["--output", str(tmp_path / "out")]
    for name, line, flag in (
        ("a.txt", "error: {path}, line 2: A word and 2 numbers", "--skip-bad-lines"),
        ("a.kv", "error: {path}: This is a pickle", "--allow-pickle"),
    ):
        path = tmp_path / name
        for command in (["info", str(path)], ["convert", str(path), *output]):
            assert cli.main(["vectors", *command]) == 2
            error = capsys.readouterr().err
            assert error.startswith(line.format(path=path))
            assert error.count("\n") == 1
            assert not (tmp_path / "out").exists()
            assert cli.main(["vectors", *command, flag]) == 0
            error = capsys.readouterr().err
            warned = (
                f"warning: {path}: 2 of 3 lines could not be read and were passed over (line 2, 3)"
            )
            assert error.startswith(warned) if name == "a.txt" else not error
        shutil.rmtree(tmp_path / "out")


def test_what_a_format_cannot_hold(tmp_path, capsys):
    model = datapath("lee_fasttext_new.bin")
    output = tmp_path / "lee.txt"
    assert cli.main(["vectors", "convert", model, "--output", str(output), "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["left_out"] == ["n-grams"]
    assert shown.err.startswith("warning: ")
    assert "'glove' holds no n-grams" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nowhere"], "nowhere does not exist. Give a file or folder of word vectors"),
        (["convert", REAL, "--output", "a.csv"], "The ending of 'a.csv' tells no format"),
        (["convert", REAL], "--output"),
        (["convert", REAL, "--output", "a", "--format", "csv"], "'csv' is not one of"),
        (["convert", REAL, "--output", "a", "--limit", "0"], "--limit"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["vectors", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
