import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import cli, vectors

LEE = datapath("lee_background.cor")
SMALL = {
    "word2vec": "--vector-size 10 --epochs 2 --min-count 20 --skip-gram",
    "fasttext": "--vector-size 10 --epochs 2 --min-count 20 --buckets 100",
    "glove": "--vector-size 10 --epochs 3 --min-count 20 --x-max 10 --window 4",
    "one-hot-svd": "--vector-size 10 --min-count 20 --window 4 --memory-mib 4 --lowercase",
}


def run(*arguments):
    return cli.main(["vectors", "train", *map(str, arguments)])


@pytest.mark.parametrize("algorithm", SMALL)
def test_every_algorithm_writes_vectors(tmp_path, capsys, algorithm):
    output = tmp_path / "out"
    options = [LEE, "--algorithm", algorithm, "--output", output, *SMALL[algorithm].split()]
    assert run(*options, "--json", "--seed", "7") == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert captured.err == ""
    found = vectors.load(output)
    assert (report["words"], report["vector_size"]) == found.vectors.shape
    assert report["tokens"] == len(Path(LEE).read_text(encoding="utf-8").split())
    counts = [found.get_vecattr(word, "count") for word in found.index_to_key]
    assert counts == sorted(counts, reverse=True)
    assert found.index_to_key[0] == "the"
    assert isinstance(found, FastTextKeyedVectors) == (algorithm == "fasttext")
    if algorithm == "glove":
        assert len(report["loss"]) == report["epochs"] == 3
        assert report["loss"] == sorted(report["loss"], reverse=True)

    assert run(*options) == 2
    assert "out already exists" in capsys.readouterr().err
    assert run(*options, "--seed", "7", "--force") == 0
    shown = capsys.readouterr().out
    assert f"{report['words']:,} words, 10 numbers each" in shown
    assert ("loss by epoch" in shown) == (algorithm == "glove")
    np.testing.assert_array_equal(vectors.load(output).vectors, found.vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--algorithm word2vec --x-max 10", "`x_max` (--x-max) is no option of word2vec. It has:"),
        ("--algorithm glove --skip-gram", "`skip_gram` (--skip-gram) is no option of glove"),
        ("--algorithm one-hot-svd --epochs 3", "(--epochs) is no option of one-hot-svd"),
        ("--algorithm glove --power 1", "(--power) is no option of glove"),
        ("--algorithm lsa", "--algorithm"),
        ("", "--algorithm"),
        ("--algorithm word2vec --output v.xyz", "The ending of 'v.xyz' tells no format"),
        ("--algorithm word2vec --vector-size 0", "`vector_size` must be an int of at least 1"),
        ("--algorithm one-hot-svd --vector-size 9999", "must be less than the number of words"),
        ("--algorithm glove --memory-mib 1", "`memory_mib` must be at least"),
        ("--algorithm glove --learning-rate 50 --epochs 2 --min-count 50", "diverged"),
        ("--algorithm word2vec --learning-rate 50", "`learning_rate` must be at most 1"),
        ("--algorithm word2vec --min-count 99999", "No word occurs `min_count` times"),
        ("--algorithm word2vec --segmenter none:f", "The segmenter 'none:f' cannot be imported"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    assert run(LEE, "--output", "v.vec", *shlex.split(options)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.txt: The file is empty"),
        (b"\n \n", "The corpus has no word"),
        (b"fine\n\xff\xfe\n", "bad.txt, line 2: UTF-8 text was expected, byte 0xff"),
    ],
)
@pytest.mark.parametrize("algorithm", ["word2vec", "one-hot-svd"])
def test_bad_corpora(tmp_path, capsys, content, message, algorithm):
    corpus = tmp_path / "bad.txt"
    corpus.write_bytes(content)
    assert run(corpus, "--algorithm", algorithm, "--output", tmp_path / "v.vec") == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [corpus]


@pytest.mark.slow
def test_a_killed_training_leaves_nothing(tmp_path):
    spilled, output = tmp_path / "spilled", tmp_path / "out" / "v.vec"
    spilled.mkdir()
    output.parent.mkdir()
    command = [sys.executable, "-m", "tf_bertembed", "vectors", "train", *[LEE] * 40]
    command += ["--algorithm", "glove", "--memory-mib", "16", "--output", str(output)]
    environment = {**os.environ, "TMPDIR": str(spilled)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    opened = Path(f"/proc/{process.pid}/fd")
    try:
        deadline = time.monotonic() + 120
        while not any(str(spilled) in os.readlink(fd) for fd in list_open(opened)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    assert list(spilled.iterdir()) == list(output.parent.iterdir()) == []


def list_open(folder):
    return [path for path in folder.iterdir() if path.is_symlink()]


@pytest.mark.slow
@pytest.mark.parametrize("segmenter", ["characters", "jieba"])
@pytest.mark.parametrize("algorithm", ["word2vec", "glove", "one-hot-svd"])
def test_chinese_text(tmp_path, algorithm, segmenter, development_data):
    corpus = development_data / "clue-corpus-zh" / "documents.txt"
    output = tmp_path / "zh.txt"
    options = ["--window", "5"] + (["--epochs", "2"] if algorithm != "one-hot-svd" else [])
    options += ["--vector-size", "50", "--segmenter", segmenter]
    assert run(corpus, "--algorithm", algorithm, "--output", output, *options) == 0
    found = vectors.load(output)
    assert {"，", "的", "中"} <= set(found.index_to_key[:200])
    assert ("中国" in found.key_to_index) == (segmenter == "jieba")
