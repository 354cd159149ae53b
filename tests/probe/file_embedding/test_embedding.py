"""Vectors, ids and failures in the files that a user gets."""

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


def near(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max() <= 1e-5


def load(path):
    return np.load(path, allow_pickle=False)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
