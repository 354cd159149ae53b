"""A run that is killed goes on: no row is lost, none is there twice, and the bytes are the same."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tf_bertembed import probe

HERE = Path(__file__).parent


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_killed_at_every_step(preset, texts, tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [json.dumps({"text": text, "id": place}) for place, text in enumerate(texts)]
    path.write_text("\n".join([*rows[:5], "{", *rows[5:9], "[]"]))
    cache = tmp_path / "cache"
    # So that the other process needs no TensorFlow.
    probe.embed_file(preset, path, tmp_path / "first.npy", id_column="id", cache=cache)
    done = subprocess.run(
        [sys.executable, HERE / "killed.py", preset, path, cache, "id", "v.npy", "v.parquet"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    kills = dict(line.split() for line in done.stdout.splitlines())
    # Of each of three windows: three or more files, and the state, on disk; then the output.
    assert kills.keys() == {"v.npy", "v.parquet"}
    assert all(int(number) > 25 for number in kills.values()), kills


def test_a_killed_process_holds_nothing(tmp_path):
    code = (
        "import sys, time\n"
        "from tf_bertembed.probe.file_embedding.unfinished import UnfinishedFile\n"
        "kept = UnfinishedFile('v.npy')\n"
        "print('locked', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"locked\n"
        lock = os.open(tmp_path / ".v.npy.unfinished" / "lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process.kill()
        process.wait()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)


@pytest.mark.slow
def test_the_command_killed_at_several_moments(preset, texts, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("\n".join(f"{texts[row % 12][:40]} {row}" for row in range(90_000)))

    def command(output):
        return [sys.executable, "-m", "tf_bertembed", "embed", preset, path, "--output", output]

    subprocess.run(command(tmp_path / "whole.npy"), check=True, env=environment())
    output, state = tmp_path / "v.npy", tmp_path / ".v.npy.unfinished" / "state.json"
    kills = []
    for windows in (1, 3, 4):
        with subprocess.Popen(command(output), env=environment()) as process:
            while process.poll() is None and _rows(state) < windows * 16384:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        kills.append(process.returncode)
        assert not output.exists()
    assert kills == [-signal.SIGKILL] * 3
    done = subprocess.run(
        [*command(output), "--json"], check=True, env=environment(), capture_output=True
    )
    report = json.loads(done.stdout)
    assert report["resumed"] >= 4 * 16384
    assert report["rows"] == 90_000
    assert output.read_bytes() == (tmp_path / "whole.npy").read_bytes()


def _rows(state):
    return json.loads(state.read_text())["rows"] if state.exists() else 0
