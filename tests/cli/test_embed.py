import json
import os
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
    assert json.loads(done.stdout) == {"texts": 3, "dimensions": 8, "output": str(output)}
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
    ):
        assert cli.main(["embed", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
