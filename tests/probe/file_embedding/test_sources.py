"""What is read of each format, and what is said of rows and files that are not of it."""

import contextlib
import gzip
import io

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.probe.file_embedding import lines, parquet, text_formats
from tf_bertembed.probe.file_embedding.rows import Columns, Row, windows
from tf_bertembed.probe.file_embedding.sources import find_format, open_rows


def read(path, columns=None, kind=None):
    with contextlib.closing(open_rows(path, kind or find_format(path), columns or Columns())) as it:
        return list(it)


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.txt", "\ufeffone\r\n\n我住 ", [(1, None, "one"), (2, None, ""), (3, None, "我住 ")]),
        ("a", "text\tb\n", [(1, None, "text\tb")]),
        ("a.tsv", 'n\ttext\n7\t"a"\n\n8\t"b ""c"""\n', [(2, "7", '"a"'), (4, "8", 'b "c"')]),
        (
            "a.csv",
            'n,text\n7,"a, b"\n8,"c\nd"\n9,\n',
            [(2, "7", "a, b"), (3, "8", "c\nd"), (5, "9", "")],
        ),
        (
            "a.jsonl",
            '{"n": 7, "text": "a"}\n\n{"text": "b", "n": "x"}',
            [(1, 7, "a"), (3, "x", "b")],
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_text_formats(name, content, rows, packed, tmp_path):
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    has_columns = "." in name and not name.endswith(".txt")
    columns = Columns(id="n") if has_columns else Columns()
    assert read(path, columns) == [Row(*row) for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "reasons"),
    [
        ("a.txt", b"ok\ncaf\xe9\nok\n", {1: "byte 0xe9 at column 4 is not UTF-8"}),
        (
            "a.tsv",
            b"text\tn\na\t1\nb\nc\t2\t3\n\xff\t4\nd\t5\n",
            {1: "2 columns", 2: "Received: 3", 3: "UTF-8"},
        ),
        (
            "a.csv",
            b'text,n\na,1\n"b"x,2\n"c,3\nd,4\n\xff,5\n"e\n\xff",6\nf,7\n',
            {1: "no CSV", 2: "no CSV", 4: "UTF-8", 5: "UTF-8"},
        ),
        (
            "a.jsonl",
            b'{"text": "a", "n": 1}\n{"text": \n[1]\n{"n": 3}\n{"text": null, "n": 4}\n'
            b'{"text": 5, "n": 5}\n{"text": "\\ud83d", "n": 6}\n{"text": "b"}\n'
            b'{"text": "c", "n": true}\n\xff\n{"text": "d", "n": 9}\n'
            b'{"text": "e", "n": 9223372036854775808}\n',
            {
                1: "JSON was expected",
                2: "a list",
                3: r"`text` is missing. Received: ['n']",
                4: "null",
                5: "must be a string. Received: 5",
                6: "surrogate",
                7: "`n` must be a string or a whole number. Received: None",
                8: "Received: True",
                9: "UTF-8",
                11: "`n` must fit Arrow's 64 bits, or be a string. Received: 9223372036854775808",
            },
        ),
    ],
)
def test_a_bad_row_fails_alone(name, content, reasons, tmp_path):
    (tmp_path / name).write_bytes(content)
    rows = read(tmp_path / name, Columns(id="n") if name != "a.txt" else Columns())
    failed = {place: row.problem for place, row in enumerate(rows) if row.problem}
    assert failed.keys() == reasons.keys()
    for place, reason in reasons.items():
        assert reason in failed[place]
        assert rows[place].text is None
    assert [row.text for row in rows if row.problem is None][-1] in ("ok", "d", "f")
    assert [row.line for row in rows] == sorted({row.line for row in rows})


def test_a_failed_row_keeps_an_id_that_can_be_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": null, "n": "x"}\n')
    assert read(tmp_path / "a.jsonl", Columns(id="n"))[0].id == "x"


def test_an_endless_line_fails_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 50)
    (tmp_path / "a.txt").write_bytes(b"a" * 50 + b"\n" + b"b" * 200 + b"\nc\n" + b"d" * 60)
    assert [(row.line, row.text and row.text[0]) for row in read(tmp_path / "a.txt")] == [
        *((1, "a"), (2, None), (3, "c"), (4, None))
    ]


def test_a_quote_that_is_never_closed_gathers_no_more_than_a_line_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr(text_formats, "LONGEST", 50)
    (tmp_path / "a.csv").write_text('text\n"a\n' + "b\n" * 100)
    rows = read(tmp_path / "a.csv")
    assert "field larger than field limit (50)" in rows[0].problem
    assert [row.text for row in rows[1:]] == ["b"] * 100


def test_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH", 2)
    frame = pandas.DataFrame({"title": ["a", None, "c", ""], "n": [4, 5, 6, 7], "other": 0})
    frame.to_parquet(tmp_path / "named-otherwise", index=False, row_group_size=3)
    rows = read(tmp_path / "named-otherwise", Columns("title", "n"))
    assert [row[:3] for row in rows] == [
        *((None, 4, "a"), (None, 5, None), (None, 6, "c"), (None, 7, ""))
    ]
    assert rows[1].problem == "`title` is null; a string was expected."


def test_parquet_whose_strings_are_not_utf8(tmp_path):
    good, bad = "café".encode(), "café".encode("latin-1")
    offsets = pyarrow.py_buffer(memoryview(bytes(pyarrow.array([0, 5, 9], "int32").buffers()[1])))
    column = pyarrow.StringArray.from_buffers(2, offsets, pyarrow.py_buffer(good + bad))
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), tmp_path / "a.parquet")
    rows = read(tmp_path / "a.parquet")
    assert rows == [Row(None, None, "café"), Row(None, None, None, "`text` is not UTF-8.")]


def parquet_without_end():
    opened = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"] * 9}), opened)
    content = opened.getvalue()
    return content[:-208] + b"\xff" * 200 + content[-8:]


def packed_and_broken():
    return gzip.compress(b"text\n" * 9000, mtime=0)[:-9]


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        (
            "a.tsv",
            b"id\tbody\n1\ta\n",
            {},
            r"line 1: The column `text` is missing\. Received: id, body.*--text-column",
        ),
        ("a.csv", b"text\na\n", {"id": "key"}, r"`key` is missing.*--id-column"),
        ("a.tsv", b"text\ttext\na\tb\n", {}, "stands 2 times"),
        ("a.tsv", b"te\xe9t\na\n", {}, "line 1.*UTF-8"),
        ("a.txt", b"a\x00b\n", {}, "binary file"),
        ("a.txt", b"", {}, "empty"),
        ("a.txt.gz", packed_and_broken(), {}, "gzip data is broken"),
        ("a.parquet", b"text\n", {}, "A Parquet file was expected"),
        ("a.parquet", parquet_without_end(), {}, "A Parquet file was expected"),
    ],
)
def test_a_file_that_is_not_of_its_format(name, content, columns, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"{name}.*{message}"):
        read(tmp_path / name, Columns(**columns))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "The column `text` is missing. Received: title, n, day"),
        ({"text": "n"}, "`n` must hold strings. Received: int64"),
        ({"text": "title", "id": "day"}, "`day` must hold strings or whole numbers"),
    ],
)
def test_parquet_without_the_columns(columns, message, tmp_path):
    days = pandas.to_datetime(["2024-01-01"])
    pandas.DataFrame({"title": ["a"], "n": [1], "day": days}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileFormatError, match=message):
        read(tmp_path / "a.parquet", Columns(**columns))


@pytest.mark.parametrize("name", ["text", "id"])
def test_parquet_with_two_columns_of_one_name(name, tmp_path):
    table = pyarrow.table({"text": ["a"], "id": ["x"], "more": ["b"]})
    table = table.rename_columns(["text", "id", name])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(FileFormatError, match=f"2 columns are named `{name}`; one was expected"):
        read(tmp_path / "a.parquet", Columns(id="id"))


def test_a_format_that_is_forced(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tb\n")
    assert read(tmp_path / "a.tsv", kind="text") == [Row(1, None, "text\tb")]
    with pytest.raises(BertEmbedError, match=r"lines of text, which have no columns.*'key'"):
        read(tmp_path / "a.tsv", Columns(id="key"), kind="text")
    with pytest.raises(BertEmbedError, match=r"text, tsv, csv, jsonl, parquet.*'xlsx'"):
        read(tmp_path / "a.tsv", kind="xlsx")
    with pytest.raises(MissingFileError):
        find_format(tmp_path / "none.tsv")


def test_windows_end_by_rows_and_by_characters():
    rows = [Row(None, None, "a" * size) for size in (1, 1, 1, 9, 1, 1)] + [Row(1, None, None, "x")]
    cut = [[len(row.text or "") for row in window] for window in windows(rows, 3, 10)]
    assert cut == [[1, 1, 1], [9, 1], [1, 0]]
    assert [len(window) for window in windows(rows[3:], 3, 10)] == [2, 2]
