"""Work that was interrupted, and what goes on with it."""

import contextlib
import json
import os

import pytest

from tf_bertembed import probe
from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.probe.file_embedding import embedding
from tf_bertembed.probe.file_embedding.unfinished import UnfinishedFile


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_interrupted_goes_on(embed, table, tmp_path, monkeypatch):
    path, columns = table
    monkeypatch.setattr(embedding, "WINDOW", 3)
    embed(path, tmp_path / "whole.npy", **columns)
    encode, calls = embedding._vectors, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return encode(*arguments)

    with monkeypatch.context() as within:
        within.setattr(embedding, "_vectors", interrupted)
        with pytest.raises(KeyboardInterrupt):
            embed(path, tmp_path / "v.npy", **columns)
    assert (tmp_path / ".v.npy.unfinished").is_dir()
    assert not (tmp_path / "v.npy").exists()
    report = embed(path, tmp_path / "v.npy", **columns)
    assert (report["rows"], report["failed"], report["resumed"]) == (14, 2, 9)
    for name in ("npy", "ids.jsonl", "failed.jsonl"):
        assert (tmp_path / f"v.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    assert not (tmp_path / ".v.npy.unfinished").exists()


@pytest.fixture
def unfinished(embed, texts, tmp_path, monkeypatch):
    """Two windows of four are done."""
    monkeypatch.setattr(embedding, "WINDOW", 3)
    rows = [*texts[:5], "\ud800", *texts[5:10], "\ud800"]
    path = tmp_path / "in.txt"
    path.write_text("\n".join(rows), "utf-8", "surrogatepass")
    with pytest.raises(BertEmbedError, match=r"in\.txt that failed: 2; at most 1.*row 11, line 12"):
        embed(path, tmp_path / "v.npy", max_failures=1)
    return path


def test_too_many_failures_stop_it_and_more_let_it_go_on(embed, unfinished, tmp_path):
    report = embed(unfinished, tmp_path / "v.npy", max_failures=2)
    assert (report["failed"], report["resumed"]) == (2, 9)


def test_fewer_failures_than_there_were_are_too_few(embed, unfinished, tmp_path):
    with pytest.raises(BertEmbedError, match=r"at most 0 may \(--max-failures\)"):
        embed(unfinished, tmp_path / "v.npy", max_failures=0)
    with pytest.raises(BertEmbedError, match=r"`max_failures` must be an int of at least 0"):
        embed(unfinished, tmp_path / "v.npy", max_failures="0")


def test_what_is_unfinished_goes_on_with_the_same_alone(
    embed, preset, unfinished, saved_model, tmp_path
):
    output = tmp_path / "v.npy"
    for model, changed, message in (
        (saved_model, {}, "another model"),
        (preset, {"pooling": "max"}, r"another settings.*'pooling': 'max'"),
        (preset, {"max_pieces": 64}, "another limits"),
        (preset, {"format": "csv"}, "another format"),
    ):
        with pytest.raises(BertEmbedError, match=rf"unfinished.*{message}.*--restart"):
            probe.embed_file(model, unfinished, output, **changed)
    unfinished.write_bytes(b"a\n" + unfinished.read_bytes().split(b"\n", 1)[1])
    with pytest.raises(BertEmbedError, match=r"another input.*--restart"):
        embed(unfinished, output)
    report = embed(unfinished, output, restart=True)
    assert (report["rows"], report["resumed"]) == (12, 0)
    assert names(tmp_path) == ["in.txt", "v.failed.jsonl", "v.npy"]


def test_a_file_that_was_touched_is_the_same(embed, unfinished, tmp_path):
    os.utime(unfinished, (1, 1))
    assert embed(unfinished, tmp_path / "v.npy")["resumed"] == 9


def test_damaged_work_is_told(embed, unfinished, tmp_path):
    folder = tmp_path / ".v.npy.unfinished"
    os.truncate(folder / "vectors.npy", 200)
    with pytest.raises(FileFormatError, match=r"vectors\.npy.*too short.*--restart"):
        embed(unfinished, tmp_path / "v.npy")
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "format": 0}))
    with pytest.raises(FileFormatError, match=r"another version. Received: 0.*--restart"):
        embed(unfinished, tmp_path / "v.npy")


def test_one_process_at_a_time(embed, tmp_path):
    (tmp_path / "in.txt").write_text("a\n")
    with (
        contextlib.closing(UnfinishedFile(tmp_path / "v.npy")),
        pytest.raises(BertEmbedError, match=r"Another process is writing .*v\.npy now"),
    ):
        embed(tmp_path / "in.txt", tmp_path / "v.npy", restart=True)
    assert names(tmp_path) == ["in.txt"]
