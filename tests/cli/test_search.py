import json

import pytest

from tf_bertembed import cli, models, text


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vocabulary = [*text.SPECIAL_TOKENS, "a", "cat", "dog"]
    models.BertEmbedBackbone(len(vocabulary), 1, 2, 8, 16).save_to_preset("small")
    text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 16).save_to_preset("small")
    (tmp_path / "pets.txt").write_text("A cat.\n\nA dog.\n", encoding="utf-8")


def test_a_file_and_then_its_index(files, capsys):
    search = ["search", "pets.txt", "a dog.", "--model", "small", "--top", "1"]
    assert cli.main([*search, "--output", "index", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["index"]["texts"] == 2
    (result,) = printed["queries"]
    assert result["query"] == "a dog."
    assert [one["line"] for one in result["results"]] == [3]
    assert cli.main(["search", "index", "a cat.", "a dog.", "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1::3] == ["a cat.", "a dog."]
    assert lines[2::3] == ["1.0000       1  A cat.", "1.0000       3  A dog."]


def test_bad_input_is_one_line(files, capsys):
    for arguments, message in (
        (["pets.txt"], "There is nothing to look for"),
        (["nowhere.txt", "a"], "nowhere.txt does not exist"),
        (["pets.txt", "a", "--approximate"], "--approximate needs an index"),
        (["pets.txt", "a", "--top", "0"], "--top"),
        (["small", "a"], "index.json does not exist"),
        (["small", "a", "--output", "index"], "--output keeps the index of a file"),
        (["pets.txt", "a", "--model", "none"], "none does not exist"),
    ):
        assert cli.main(["search", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
