import gzip
import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from tf_bertembed import bulk, probe
from tf_bertembed.common import BertEmbedError, MissingFileError, OutputExistsError


def read_parquet(paths):
    """Vectors by id; each id must be there once."""
    tables = [pyarrow.parquet.read_table(path) for path in paths]
    table = pyarrow.concat_tables(tables)
    names = table["id"].to_pylist()
    assert len(set(names)) == len(names)
    return dict(zip(names, np.array(table["embedding"].to_pylist(), "float32"), strict=True))


def read_jsonl(paths):
    lines = "".join(Path(path).read_text(encoding="utf-8") for path in paths)
    return [json.loads(line) for line in lines.split("\n") if line]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def assert_as_local(found, keys, expected):
    """Each key has the vector that the estimator gives its text."""
    assert sorted(found) == sorted(keys)
    got = np.array([found[key] for key in keys])
    np.testing.assert_allclose(got, expected, atol=1e-6, rtol=0)


def files_of(texts, folder):
    """Texts parted into four files, one a format; and the id that each is to have."""
    one, two, three = (len(texts) * part // 4 for part in (1, 2, 3))
    write_jsonl(folder / "a.jsonl", [{"id": f"a{n}", "text": t} for n, t in enumerate(texts[:one])])
    (folder / "b.txt.gz").write_bytes(
        gzip.compress("".join(f"{t}\n" for t in texts[one:two]).encode())
    )
    table = pyarrow.table({"id": range(three - two), "text": texts[two:three]})
    pyarrow.parquet.write_table(table, folder / "c.parquet", row_group_size=3)
    table = pyarrow.table({"text": texts[three:]})
    pyarrow.parquet.write_table(table, folder / "d.parquet")
    return [
        *(f"a{number}" for number in range(one)),
        *(f"{folder / 'b.txt.gz'}:{line}" for line in range(1, two - one + 1)),
        *(str(number) for number in range(three - two)),
        *(f"{folder / 'd.parquet'}:{row}" for row in range(len(texts) - three)),
    ]


def test_vectors_of_all_formats_as_the_transformer_has_them(saved_model, texts, expected, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    keys = files_of(texts, folder)
    report = bulk.embed_pipeline(f"{folder}/*", saved_model.parent, tmp_path / "out" / "v")
    assert (report["texts"], report["failed"]) == (len(texts), 0)
    assert report["bytes"] == sum(len(one.encode()) for one in texts)
    assert (report["dimensions"], report["model_loads"]) == (8, 1)
    assert report["failed_outputs"] == []
    written = sorted(str(path) for path in (tmp_path / "out").iterdir())
    assert report["outputs"] == written == [f"{tmp_path}/out/v-00000-of-00001.parquet"]
    schema = pyarrow.parquet.read_schema(written[0])
    assert schema.field("embedding").type == pyarrow.list_(pyarrow.float32(), 8)
    assert schema.field("id").type == pyarrow.string()
    assert_as_local(read_parquet(written), keys, expected)


def test_json_lines_out(saved_model, texts, expected, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [{"id": n, "text": t} for n, t in enumerate(texts)])
    report = bulk.embed_pipeline(
        tmp_path / "in.jsonl", saved_model, tmp_path / "v", output_format="jsonl"
    )
    rows = read_jsonl(report["outputs"])
    assert list(rows[0]) == ["id", "embedding"]
    found = {row["id"]: row["embedding"] for row in rows}
    assert_as_local(found, [str(n) for n in range(len(texts))], expected)


def test_failed_rows_have_a_place_and_a_reason(bad_text, fragile_model, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(
        b'{"id": "good", "text": "abc"}\n{"id": "null", "text": null}\n{"id": "none"}\nno JSON\n'
        b'{"id": "utf", "text": "\xff"}\n{"text": "' + bad_text.encode() + b'"}\n'
        b'{"id": "long", "text": "' + b"x" * 50 + b'"}\n{"id": "last", "text": "four"}\n'
    )
    (tmp_path / "broken.parquet").write_bytes(b"no Parquet at all")
    report = bulk.embed_pipeline(
        [tmp_path / "in.jsonl", tmp_path / "broken.parquet"],
        fragile_model,
        tmp_path / "v",
        max_text_bytes=40,
    )
    assert (report["texts"], report["failed"]) == (2, 7)
    vectors = read_parquet(report["outputs"])
    assert {key: vector.tolist() for key, vector in vectors.items()} == {
        "good": [3, -3],
        "last": [4, -4],
    }
    failed = {row["id"]: row for row in read_jsonl(report["failed_outputs"])}
    lines, broken = str(tmp_path / "in.jsonl"), str(tmp_path / "broken.parquet")
    expected = {
        "null": (lines, 2, "`text` is null; a string was expected."),
        "none": (lines, 3, "`text` is missing. Received: ['id']."),
        f"{lines}:4": (lines, 4, "JSON was expected"),
        f"{lines}:5": (lines, 5, "UTF-8 text was expected, byte 0xff"),
        f"{lines}:6": (lines, 6, "this text is too much"),
        "long": (lines, 7, "At most 40 bytes were expected. Received: 50 bytes."),
        broken: (broken, None, "A Parquet file was expected"),
    }
    assert sorted(failed) == sorted(expected)
    for key, (file, line, reason) in expected.items():
        assert (failed[key]["file"], failed[key]["line"], failed[key]["row"]) == (file, line, None)
        assert reason in failed[key]["reason"]
    assert failed["long"]["received"] == "x" * 50
    assert failed[f"{lines}:4"]["received"] == "no JSON"


def test_no_row_at_all(fragile_model, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"")
    report = bulk.embed_pipeline(tmp_path / "in.txt", fragile_model, tmp_path / "v")
    assert (report["texts"], report["failed"]) == (0, 0)
    assert read_parquet(report["outputs"]) == {}


def test_files_of_an_earlier_run_stay_or_go_together(fragile_model, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [{"id": 1, "text": "abc"}, {"id": 2}])
    old = [tmp_path / "v-00000-of-00003.parquet", tmp_path / "v-failed-00001-of-00002.jsonl"]
    for path in old:
        path.write_bytes(b"old")
    beside = [tmp_path / "v2-00000-of-00001.parquet", tmp_path / "v.parquet"]
    for path in beside:
        path.write_bytes(b"another's")
    with pytest.raises(OutputExistsError, match=r"v-.*already exists.*--force"):
        bulk.embed_pipeline(tmp_path / "in.jsonl", fragile_model, tmp_path / "v")
    assert {path.read_bytes() for path in old} == {b"old"}
    for _ in range(2):
        report = bulk.embed_pipeline(
            tmp_path / "in.jsonl", fragile_model, tmp_path / "v", overwrite=True
        )
        assert report["outputs"] == [str(tmp_path / "v-00000-of-00001.parquet")]
        assert report["failed_outputs"] == [str(tmp_path / "v-failed-00000-of-00001.jsonl")]
    assert sorted(read_parquet(report["outputs"])) == ["1"]
    assert {path.read_bytes() for path in beside} == {b"another's"}
    # None failed this time: the list of those that did before goes too.
    write_jsonl(tmp_path / "in.jsonl", [{"id": 1, "text": "abc"}])
    report = bulk.embed_pipeline(
        tmp_path / "in.jsonl", fragile_model, tmp_path / "v", overwrite=True
    )
    assert report["failed_outputs"] == []
    assert not list(tmp_path.glob("v-failed-*"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"inputs": "{tmp}/none-*.txt"}, MissingFileError, r"none-\*\.txt does not exist"),
        ({"inputs": "{tmp}"}, BertEmbedError, r"is a folder. Write .*/\*"),
        ({"inputs": "none://there/*.txt"}, BertEmbedError, r"none://there/\*\.txt cannot be"),
        ({"inputs": []}, BertEmbedError, "no input.*empty list"),
        ({"inputs": "{tmp}/in.tsv"}, BertEmbedError, r"in\.tsv is a table"),
        ({"saved_model": "{tmp}/nowhere"}, MissingFileError, "nowhere does not exist"),
        ({"output_format": "npy"}, BertEmbedError, "parquet or jsonl. Received: 'npy'"),
        ({"input_format": "xml"}, BertEmbedError, "text or jsonl or parquet. Received: 'xml'"),
        ({"output": "{tmp}/"}, BertEmbedError, "start of a file's name"),
        ({"streams": 0}, BertEmbedError, "`streams` must be an int of at least 1"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(changes, error, message, fragile_model, tmp_path):
    (tmp_path / "in.txt").write_text("abc\n")
    (tmp_path / "in.tsv").write_text("text\tlabel\n")
    before = sorted(tmp_path.iterdir())
    arguments = {
        "inputs": f"{tmp_path}/in.txt",
        "saved_model": fragile_model,
        "output": f"{tmp_path}/v",
    }
    for name, value in changes.items():
        arguments[name] = value.format(tmp=tmp_path) if isinstance(value, str) else value
    with pytest.raises(error, match=message):
        bulk.embed_pipeline(**arguments)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize("large_model", [False, True], ids=["a model each", "one model"])
def test_two_worker_processes(large_model, saved_model, texts, tmp_path, monkeypatch):
    # Workers are processes of their own, which import the package by name.
    root = os.path.dirname(os.path.dirname(bulk.__path__[0]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, *sys.path[:1]]))
    many = [f"{one} {n}" if one.strip() else one for n in range(5) for one in texts]
    folder = tmp_path / "in"
    folder.mkdir()
    keys = files_of(many, folder)
    report = bulk.embed_pipeline(
        f"{folder}/*",
        saved_model,
        tmp_path / "v",
        threads=1,
        large_model=large_model,
        options=["--direct_num_workers=2", "--direct_running_mode=multi_processing"],
    )
    assert (report["texts"], report["failed"]) == (len(many), 0)
    assert len(report["outputs"]) == 2
    assert report["model_loads"] == (1 if large_model else 2)
    found = [pyarrow.parquet.read_table(path).num_rows for path in report["outputs"]]
    assert min(found) > len(many) // 5
    expected = probe.BertEmbedTransformer(str(saved_model)).fit(many).transform(many)
    assert_as_local(read_parquet(report["outputs"]), keys, expected)


@pytest.mark.slow
def test_a_runner_behind_the_job_service(saved_model, texts, expected, tmp_path):
    # Flink and Spark are spoken to in the same way: the graph travels, workers are asked by gRPC.
    write_jsonl(tmp_path / "in.jsonl", [{"id": n, "text": t} for n, t in enumerate(texts)])
    report = bulk.embed_pipeline(
        tmp_path / "in.jsonl",
        saved_model,
        tmp_path / "v",
        options=[
            "--runner=PortableRunner",
            "--job_endpoint=embed",
            "--environment_type=LOOPBACK",
        ],
    )
    assert (report["texts"], report["failed"]) == (len(texts), 0)
    found = read_parquet(report["outputs"])
    assert_as_local(found, [str(n) for n in range(len(texts))], expected)
