"""Vectors, ids and failures in the files that a user gets."""

import contextlib
import functools
import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from tf_bertembed import probe
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    MissingPackageError,
    OutputExistsError,
)
from tf_bertembed.probe.file_embedding import embedding
from tf_bertembed.probe.file_embedding.unfinished import UnfinishedFile


def near(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max() <= 1e-5


def load(path):
    return np.load(path, allow_pickle=False)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def embed(preset, texts, tmp_path_factory):
    """`embed_file` with a cache that knows the texts of the tests, so that it takes no time."""
    place = tmp_path_factory.mktemp("known")
    (place / "in.txt").write_text("\n".join([*texts, "a", "b"]), encoding="utf-8")
    embed = functools.partial(probe.embed_file, preset, cache=place / "cache")
    embed(place / "in.txt", place / "first.npy")
    return embed


@pytest.fixture
def table(texts, tmp_path):
    """Twelve texts as JSON lines, with ids, and two rows that fail."""
    rows = [{"key": f"k{row}", "body": text} for row, text in enumerate(texts)]
    lines = [*map(json.dumps, rows[:5]), '{"key": "none"}', "{", *map(json.dumps, rows[5:])]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    return tmp_path / "in.jsonl", {"text_column": "body", "id_column": "key"}


@pytest.mark.parametrize("kind", ["preset", "saved_model"])
def test_a_row_a_line(kind, request, texts, expected, tmp_path):
    path = tmp_path / "texts.gz"
    path.write_bytes(gzip.compress("\n".join([*texts, "", texts[0]]).encode()))
    model = request.getfixturevalue(kind)
    report = probe.embed_file(model, path, tmp_path / "v.npy", batch_size=5, max_pieces=64)
    vectors = load(tmp_path / "v.npy")
    assert report.pop("seconds") > 0
    assert report.pop("rows_per_second") > 0
    assert report == {
        "rows": 14,
        "texts": 14,
        "failed": 0,
        "empty": 1,
        "resumed": 0,
        "dimensions": 8,
        "output": str(tmp_path / "v.npy"),
        "ids": None,
        "failures": None,
    }
    assert vectors.dtype == "float32"
    assert near(vectors[:12], expected)
    assert near(vectors[13], expected[0])
    assert names(tmp_path) == ["texts.gz", "v.npy"]


def test_failed_rows_keep_their_place(embed, table, expected, tmp_path):
    path, columns = table
    report = embed(path, tmp_path / "v.npy", **columns)
    assert (report["rows"], report["texts"], report["failed"]) == (14, 12, 2)
    vectors = load(tmp_path / "v.npy")
    assert np.isnan(vectors).all(axis=1).nonzero()[0].tolist() == [5, 6]
    assert near(np.delete(vectors, [5, 6], axis=0), expected)
    ids = [json.loads(line) for line in (tmp_path / "v.ids.jsonl").read_text().splitlines()]
    assert ids == [*(f"k{row}" for row in range(5)), "none", None, *(f"k{r}" for r in range(5, 12))]
    failed = [json.loads(line) for line in (tmp_path / "v.failed.jsonl").read_text().splitlines()]
    assert failed == [
        {
            "row": 5,
            "line": 6,
            "id": "none",
            "reason": "The column `body` is missing. Received: ['key'].",
        },
        {
            "row": 6,
            "line": 7,
            "id": None,
            "reason": "JSON was expected: Expecting property name enclosed in double quotes.",
        },
    ]
    assert report["ids"] == str(tmp_path / "v.ids.jsonl")
    assert report["failures"] == str(tmp_path / "v.failed.jsonl")
    assert names(tmp_path) == ["in.jsonl", "v.failed.jsonl", "v.ids.jsonl", "v.npy"]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather"])
def test_tables_are_read_by_pandas_and_arrow(embed, suffix, preset, table, expected, tmp_path):
    path, columns = table
    output = tmp_path / f"v{suffix}"
    embed(path, output, **columns)
    read = pandas.read_parquet if suffix == ".parquet" else pandas.read_feather
    frame = read(output)
    assert frame["id"][[0, 5, 13]].tolist() == ["k0", "none", "k11"]
    assert frame["id"].isna().tolist() == [row == 6 for row in range(14)]
    assert near(np.stack(frame["embedding"].drop([5, 6])), expected)
    assert np.isnan(np.stack(frame["embedding"][[5, 6]])).all()
    if suffix == ".parquet":
        schema = pyarrow.parquet.read_schema(output)
    else:
        with pyarrow.ipc.open_file(output) as file:
            schema = file.schema
    assert schema.field("embedding").type == pyarrow.list_(pyarrow.float32(), 8)
    about = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert (about["model"], about["pooling"]) == (str(preset), "null")
    assert len(about["fingerprint"]) == 64
    assert names(tmp_path) == sorted(["in.jsonl", f"v{suffix}", "v.failed.jsonl"])


@pytest.mark.parametrize(
    ("ids", "expected_type"), [(None, "int64"), ([2**62, 5], "int64"), ([7, "x"], "string")]
)
def test_ids_of_a_table_are_numbers_where_all_are(ids, expected_type, embed, tmp_path):
    rows = [{"text": "a", "n": one} for one in ids or "ab"]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    column = None if ids is None else "n"
    embed(tmp_path / "in.jsonl", tmp_path / "v.parquet", id_column=column)
    found = pyarrow.parquet.read_table(tmp_path / "v.parquet")["id"]
    assert str(found.type) == expected_type
    kind = str if expected_type == "string" else int
    assert found.to_pylist() == [kind(one) for one in ids or [0, 1]]


def test_formats_hold_the_same_numbers_window_by_window(embed, texts, tmp_path, monkeypatch):
    pandas.DataFrame({"text": texts, "n": range(12)}).to_parquet(tmp_path / "in.parquet")
    monkeypatch.setattr(embedding, "WINDOW", 5)
    monkeypatch.setattr("tf_bertembed.probe.file_embedding.tables.WINDOW", 7)
    for output in ("v.npy", "v.parquet"):
        embed(tmp_path / "in.parquet", tmp_path / output, id_column="n")
    table = pyarrow.parquet.read_table(tmp_path / "v.parquet")
    flat = table["embedding"].combine_chunks().flatten().to_numpy()
    assert table["id"].to_pylist() == list(range(12))
    np.testing.assert_array_equal(flat.reshape(12, 8), load(tmp_path / "v.npy"))


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


def test_force_replaces_what_an_earlier_run_left(embed, table, tmp_path):
    path, columns = table
    for output in ("v.npy", "w.npy"):
        embed(path, tmp_path / output, **columns)
    (tmp_path / "in.txt").write_text("a\n")
    with pytest.raises(OutputExistsError, match=r"v\.failed\.jsonl already exists.*--force"):
        embed(tmp_path / "in.txt", tmp_path / "v.npy")
    embed(tmp_path / "in.txt", tmp_path / "v.npy", overwrite=True)
    assert load(tmp_path / "v.npy").shape == (1, 8)
    assert not list(tmp_path.glob("v.*.jsonl"))
    assert len(list(tmp_path.glob("w.*.jsonl"))) == 2


@pytest.mark.parametrize(
    ("content", "output", "error", "message"),
    [
        (b"a\n", "v.csv", BertEmbedError, r"must end in \.npy or \.parquet.*v\.csv"),
        (b"", "v.npy", FileFormatError, r"texts\.txt.*empty"),
        (
            b"\xff\n\xfe\n",
            "v.npy",
            FileFormatError,
            r"txt, line 1: Each row failed; the first: .*0xff",
        ),
        (b"a\n", "there.npy", OutputExistsError, r"there\.npy"),
        (None, "v.npy", MissingFileError, r"texts\.txt"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(content, output, error, message, embed, tmp_path):
    (tmp_path / "there.npy").write_bytes(b"mine")
    if content is not None:
        (tmp_path / "texts.txt").write_bytes(content)
    before = names(tmp_path)
    with pytest.raises(error, match=message):
        embed(tmp_path / "texts.txt", tmp_path / output)
    assert names(tmp_path) == before
    assert (tmp_path / "there.npy").read_bytes() == b"mine"


def test_a_table_without_rows(embed, tmp_path):
    (tmp_path / "in.tsv").write_text("text\n")
    with pytest.raises(FileFormatError, match="No row was found"):
        embed(tmp_path / "in.tsv", tmp_path / "v.npy")
    assert names(tmp_path) == ["in.tsv"]


def test_the_input_is_never_replaced(embed, tmp_path):
    path = tmp_path / "v.parquet"
    pandas.DataFrame({"text": ["a"]}).to_parquet(path)
    with pytest.raises(BertEmbedError, match="would replace the input"):
        embed(path, path, overwrite=True)
    assert len(pandas.read_parquet(path)) == 1


def test_an_input_that_changes_meanwhile(embed, tmp_path, monkeypatch):
    path = tmp_path / "in.txt"
    path.write_text("a\n" * 4)
    encode = embedding._vectors

    def changing(*arguments):
        path.write_text("b\n" * 5)
        return encode(*arguments)

    monkeypatch.setattr(embedding, "_vectors", changing)
    with pytest.raises(FileFormatError, match="changed while it was read"):
        embed(path, tmp_path / "v.npy")
    assert not (tmp_path / "v.npy").exists()


@pytest.mark.parametrize("output", ["v.npy", "v.arrow"])
def test_without_pyarrow_it_is_named(output, embed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "in.parquet"
    path.write_bytes(b"PAR1")
    if output == "v.arrow":
        path.write_bytes(b"text\n")
    with pytest.raises(MissingPackageError, match=r"Parquet files needs|\.arrow files needs"):
        embed(path, tmp_path / output)


def test_what_the_cache_knows_needs_no_tensorflow(embed, preset, table, tmp_path):
    path, columns = table
    more = {**columns, "cache": str(embed.keywords["cache"])}
    embed(path, tmp_path / "v.npy", **more)
    code = (
        "import json, sys\n"
        "from tf_bertembed import probe\n"
        f"probe.embed_file({str(preset)!r}, {str(path)!r}, 'again.npy', **{more!r})\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'gensim'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    np.testing.assert_array_equal(load(tmp_path / "again.npy"), load(tmp_path / "v.npy"))
