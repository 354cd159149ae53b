import json
import subprocess
import sys

import pytest

from tf_bertembed import cli, models, text

PIECES = [*text.SPECIAL_TOKENS, "one", "two", "##s"]


@pytest.fixture(scope="module")
def place(google_checkpoints, tmp_path_factory):
    """Google's folder, whole and without one of its tensors, and a Hugging Face one."""
    place = tmp_path_factory.mktemp("checkpoints")
    variables = google_checkpoints.google_variables()
    google_checkpoints.write_google(place / "uncased_L-2_H-8_A-2", variables)
    kept = {n: v for n, v in variables.items() if n != "bert/pooler/dense/kernel"}
    google_checkpoints.write_google(place / "broken", kept)
    backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16, max_sequence_length=16)
    models.save_huggingface(backbone, place / "theirs", text.BertEmbedTokenizer(PIECES))
    return place


def test_there_and_back(place, tmp_path, capsys):
    run, out = str(tmp_path / "run"), str(tmp_path / "out")
    source = str(place / "uncased_L-2_H-8_A-2")
    assert cli.main(["checkpoint", "import", source, "--output", run]) == 0
    shown = capsys.readouterr().out
    assert f"{source} -> {run} (google)" in shown
    assert "2 layers, 8 wide, 2 heads, 20 pieces, gelu_tanh" in shown
    assert "head: Pretrainer" in shown
    assert "lower-cases (by the folder's name, uncased_L-2_H-8_A-2), at most 12 pieces" in shown
    assert cli.main(["checkpoint", "export", run, "--output", out]) == 0
    assert f"{run} -> {out} (huggingface)" in capsys.readouterr().out
    assert models.load(out).activation == "gelu_tanh"


def test_json_and_settings(place, tmp_path, capsys):
    source, run = str(place / "uncased_L-2_H-8_A-2"), str(tmp_path / "run")
    flags = ["--no-lowercase", "--activation", "gelu", "--sequence-length", "8", "--json"]
    assert cli.main(["checkpoint", "import", source, "--output", run, *flags]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["lowercase_from"] == "as given"
    assert (report["activation"], report["sequence_length"]) == ("gelu", 8)
    flags = ["--format", "keras-nlp", "--approximate", "--json"]
    out = str(tmp_path / "out")
    assert cli.main(["checkpoint", "export", run, "--output", out, *flags]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["format"], report["left_out"]) == ("keras-nlp", ["the head of Pretrainer"])
    assert models.checkpoint_format(out) == "keras-nlp"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "broken"], "The tensor bert/pooler/dense/kernel is missing."),
        (["import", "nowhere"], "nowhere does not exist."),
        (["import", "."], "config.json does not exist."),
        (["import", "theirs", "--lowercase"], "are for Google's folders"),
        (["import", "theirs", "--sequence-length", "17"], "Received: 17; at most: 16."),
        (["export", "theirs", "--format", "keras-nlp"], "Pass `approximate=True` (--approximate)"),
        (["export", "theirs", "--format", "onnx"], "Invalid value for '--format'"),
        (["import"], "Missing argument 'SOURCE'"),
        ([], "Missing command"),
    ],
)
def test_an_error_is_one_line(arguments, message, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(place)
    if len(arguments) > 1:
        arguments = [*arguments, "--output", str(tmp_path / "out")]
    assert cli.main(["checkpoint", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there(place, tmp_path, capsys):
    arguments = ["checkpoint", "import", str(place / "theirs"), "--output", str(tmp_path)]
    assert cli.main(arguments) == 2
    assert "already exists" in capsys.readouterr().err
    assert cli.main([*arguments, "--force"]) == 0
    assert models.load(tmp_path).hidden_dim == 8


@pytest.mark.parametrize("name", ["import", "export"])
def test_help(name, capsys):
    assert cli.main(["checkpoint", name, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--output", "--seed", "--json", "--force"):
        assert option in shown


def test_help_loads_no_tensorflow():
    code = (
        "import sys\n"
        "from tf_bertembed import cli\n"
        "assert cli.main(['checkpoint', '--help']) == 0\n"
        "print('tensorflow' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False False\n")
