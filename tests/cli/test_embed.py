import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tf_bertembed import cli, models, text


@pytest.fixture
def preset(tmp_path):
    vocabulary = [*text.SPECIAL_TOKENS, "a", "cat", "kitten"]
    models.BertEmbedBackbone(len(vocabulary), 1, 2, 8, 16).save_to_preset(str(tmp_path / "small"))
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 16)
    preprocessor.save_to_preset(tmp_path / "small")
    return tmp_path / "small"


@pytest.mark.slow
def test_vectors_of_a_file_in_single_threaded_streams(preset, tmp_path):
    texts = ["A cat.", "", "A kitten."]
    (tmp_path / "texts.txt").write_text("\n".join([*texts, ""]), encoding="utf-8")
    output = tmp_path / "vectors.npy"
    command = ["embed", str(preset), str(tmp_path / "texts.txt"), "--output", str(output)]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", "tf_bertembed", *command, "--json"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["rows"], report["texts"], report["empty"]) == (3, 3, 1)
    assert (report["dimensions"], report["output"]) == (8, str(output))
    features = text.Preprocessor.from_preset(str(preset))(texts)
    mask = features["padding_mask"].numpy()[..., None]
    states = models.load(preset)(features)["sequence_output"].numpy()
    expected = (states * mask).sum(axis=1) / mask.sum(axis=1)
    np.testing.assert_allclose(np.load(output, allow_pickle=False), expected, atol=1e-6)
    assert cli.main(command) == 2
    assert cli.main([*command, "--force"]) == 0


def test_bad_input_is_one_line(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("a\n", encoding="utf-8")
    output = ["--output", str(tmp_path / "v.npy")]
    for arguments, message in (
        (["nowhere", str(tmp_path / "texts.txt"), *output], "nowhere does not exist"),
        (["nowhere", str(tmp_path / "none.txt"), *output], "none.txt does not exist"),
        (["nowhere", str(tmp_path / "texts.txt")], "--output"),
        (["nowhere", "a", *output, "--batch-size", "0"], "--batch-size"),
        (["nowhere", "a", *output, "--format", "xlsx"], "--format"),
        (["nowhere", "a", *output, "--layers", "1,x"], "--layers takes whole numbers"),
    ):
        assert cli.main(["embed", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_rows_that_fail_are_told_by_the_exit_code(preset, tmp_path, capsys):
    table = tmp_path / "pets.tsv"
    table.write_text("key\tbody\nk1\tA cat.\nk2\nk3\tA kitten.\n", encoding="utf-8")
    more = ["--text-column", "body", "--id-column", "key", "--layers", "0,1"]
    command = ["embed", str(preset), str(table), *more, "--cache", str(tmp_path / "c"), "--output"]
    output = tmp_path / "v.npy"
    assert cli.main([*command, str(output)]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"2 texts, 8 numbers each: {output}\n")
    assert f"1 row failed: {tmp_path / 'v.failed.jsonl'}\n" in shown
    assert re.search(
        r"^3 rows in \d+\.\d s, the loading of the model included$", shown, re.MULTILINE
    )
    assert np.isnan(np.load(output, allow_pickle=False)).any(axis=1).tolist() == [
        False,
        True,
        False,
    ]
    assert cli.main([*command, str(tmp_path / "w.parquet"), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["texts"], report["failed"]) == (3, 2, 1)
    assert cli.main([*command, str(tmp_path / "x.npy"), "--max-failures", "0"]) == 2
    assert "row 1, line 3" in capsys.readouterr().err
    assert not (tmp_path / "x.npy").exists()


def test_a_table_whose_every_row_fails_is_an_error(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text('{"title": "a"}\n')
    command = ["embed", "all-minilm-l6-v2", str(tmp_path / "in.jsonl")]
    assert cli.main([*command, "--output", str(tmp_path / "v.npy")]) == 2
    assert (
        "in.jsonl, line 1: Each row failed; the first: The column `text`" in capsys.readouterr().err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_what_is_in_the_cache_starts_no_tensorflow(preset, tmp_path):
    (tmp_path / "in.txt").write_text("A cat.\nA kitten.\n")
    command = ["embed", str(preset), str(tmp_path / "in.txt"), "--cache", str(tmp_path / "cache")]
    assert cli.main([*command, "--output", str(tmp_path / "v.npy")]) == 0
    code = (
        "import sys\n"
        "from tf_bertembed import cli\n"
        f"assert cli.main({[*command, '--output', str(tmp_path / 'w.npy')]!r}) == 0\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "w.npy").read_bytes() == (tmp_path / "v.npy").read_bytes()
