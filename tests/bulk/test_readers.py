import gzip
import io
import re

import pyarrow
import pyarrow.parquet
import pytest

from tf_bertembed.bulk import readers
from tf_bertembed.bulk.failures import TextFailure
from tf_bertembed.common import BertEmbedError, FileFormatError


def file(content):
    return io.BytesIO(content if isinstance(content, bytes) else content.encode())


def parquet(columns, group=2):
    opened = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), opened, row_group_size=group)
    return opened


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("gs://bucket/a.jsonl", "jsonl"),
        ("a.JSON.gz", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.txt", "text"),
        ("part-00000", "text"),
    ],
)
def test_the_suffix_tells_the_format(path, kind):
    assert readers.format_of(path) == kind


@pytest.mark.parametrize("path", ["reviews.tsv", "reviews.csv.gz"])
def test_a_table_is_no_list_of_texts(path):
    with pytest.raises(BertEmbedError, match=r"reviews.* is a table.*--input-format text"):
        readers.format_of(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_are_texts(pack):
    content = "\ufeffCafé.\r\n\n我住".encode()
    rows = list(readers.text_rows(file(pack(content))))
    assert rows == [(1, None, "Café."), (2, None, ""), (3, None, "我住")]


def test_an_empty_file_has_no_rows():
    assert list(readers.text_rows(file(b""))) == []


def test_a_line_that_is_not_utf8_stops_nothing():
    first, second, third = readers.text_rows(file(b"one\ntw\xff\nthree\n"))
    assert (first, third) == ((1, None, "one"), (3, None, "three"))
    assert "UTF-8 text was expected, byte 0xff at column 3" in second[2].reason
    assert second[2].received == "tw\\xff"


def test_a_line_without_end_fills_no_memory():
    rows = list(readers.read_lines(file("short\n" + "x" * 1000 + "\nlast"), longest=64))
    assert [number for number, _ in rows] == [1, 2, 3]
    assert (rows[0][1], rows[2][1]) == ("short", "last")
    assert rows[1][1].reason == "The line is longer than 64 bytes."


def test_a_line_of_just_the_limit_is_read():
    assert list(readers.read_lines(file("x" * 64 + "\r\n" + "y" * 64), longest=64)) == [
        (1, "x" * 64),
        (2, "y" * 64),
    ]


def test_gzip_that_breaks_off_keeps_what_came_before():
    lines = "".join(f"line {number} {number * 7919 % 1009}\n" for number in range(5000))
    packed = gzip.compress(lines.encode())
    *rows, (number, failure) = readers.read_lines(file(packed[: len(packed) // 2]))
    assert rows
    assert all(isinstance(line, str) for _, line in rows)
    assert number == len(rows) + 1
    assert "gzip data is broken" in failure.reason


def test_json_lines():
    content = '{"id": "a", "text": "one"}\n\n{"id": 7, "text": ""}\n{"text": "three"}\n'
    assert list(readers.json_rows(file(content))) == [
        (1, "a", "one"),
        (3, "7", ""),
        (4, None, "three"),
    ]
    assert list(readers.json_rows(file('{"k": 1, "body": "b"}'), "body", "k")) == [(1, "1", "b")]


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        ('{"text": "a"', None, r"JSON was expected"),
        ('["a"]', None, r"A JSON object was expected"),
        ('{"id": "x", "txt": "a"}', "x", r"`text` is missing. Received: \['id', 'txt'\]"),
        ('{"id": 1.5, "text": "a"}', None, r"`id` must be a string or a whole number.*1\.5"),
        ('{"id": true, "text": "a"}', None, r"`id` must be a string or a whole number.*True"),
        ('{"id": "\\ud83d", "text": "a"}', None, r"`id` holds half of a surrogate pair"),
        ('{"id": 7, "text": null}', "7", r"`text` is null"),
        ('{"id": 7, "text": ["a"]}', "7", r"`text` must be a string. Received: \['a'\]"),
        ("[" * 100_000, None, r"nested too deeply"),
    ],
)
def test_a_bad_line_of_json_is_told(line, key, reason):
    rows = list(readers.json_rows(file(f'{line}\n{{"text": "good"}}\n')))
    (number, found, failure), good = rows
    assert (number, found) == (1, key)
    assert isinstance(failure, TextFailure)
    assert failure.received == line[:200]
    assert re.search(reason, failure.reason)
    assert good == (2, None, "good")


def test_parquet_by_row_groups():
    opened = parquet({"id": [3, 1, 2], "text": ["a", None, "c"], "other": [0, 0, 0]})
    groups = readers.parquet_groups(opened)
    assert groups == [(0, 0), (1, 2)]
    rows = [row for group in groups for row in readers.parquet_rows(opened, *group)]
    assert (rows[0], rows[2]) == ((0, "3", "a"), (2, "2", "c"))
    assert rows[1][:2] == (1, "1")
    assert rows[1][2].reason == "`text` is null; a string was expected."


def test_parquet_without_the_column_is_told_once_a_group():
    opened = parquet({"txt": ["a", "b"]})
    ((row, key, failure),) = readers.parquet_rows(opened, 0, 0)
    assert (row, key) == (0, None)
    assert failure.reason == "The column `text` is missing. Received: ['txt']."


def test_parquet_with_two_columns_of_one_name_is_told_once_a_group():
    table = pyarrow.table({"id": [1], "text": ["a"], "more": ["b"]})
    opened = io.BytesIO()
    pyarrow.parquet.write_table(table.rename_columns(["id", "text", "text"]), opened)
    ((row, key, failure),) = readers.parquet_rows(file(opened.getvalue()), 0, 0)
    assert (row, key) == (0, None)
    assert failure.reason == "2 columns are named `text`; one was expected."


def test_parquet_of_another_type_is_told_once_a_group():
    ((row, key, failure),) = readers.parquet_rows(parquet({"text": [b"a", b"b"]}), 0, 0)
    assert (row, key) == (0, None)
    assert failure.reason == "`text` must hold strings. Received: binary."


def test_a_string_of_parquet_that_is_not_utf8_fails_alone():
    strings = pyarrow.array([b"good", b"caf\xe9", b"last"]).view(pyarrow.string())
    first, bad, last = readers.parquet_rows(parquet({"id": [1, 2, 3], "text": strings}, 3), 0, 0)
    assert (first, last) == ((0, "1", "good"), (2, "3", "last"))
    assert bad[:2] == (1, "2")
    assert bad[2].reason == "`text` is not UTF-8."
    assert "caf\\xe9" in bad[2].received


def damaged(columns, place, size=40, **options):
    opened = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), opened, **options)
    content = bytearray(opened.getvalue())
    place = place if place >= 0 else place + len(content)
    content[place : place + size] = b"\xff" * size
    return file(bytes(content))


def test_damaged_parquet_keeps_what_came_before():
    texts = [f"text {number * 7919 % 10007}" for number in range(20_000)]
    plain = {"compression": "none", "use_dictionary": False, "data_page_size": 4096}
    opened = damaged({"text": texts}, 150_000, 10_000, **plain)
    *rows, (number, key, failure) = readers.parquet_rows(opened, 0, 0)
    assert [text for _, _, text in rows] == texts[: len(rows)]
    assert 0 < len(rows) < len(texts)
    assert (number, key) == (len(rows), None)
    assert "The Parquet data is broken" in failure.reason


def test_parquet_whose_end_is_damaged():
    opened = damaged({"text": ["a"] * 9}, -8 - 200, 200)
    with pytest.raises(FileFormatError, match="A Parquet file was expected"):
        readers.parquet_groups(opened)


class Unreachable(io.BytesIO):
    def readinto(self, buffer):
        raise ConnectionError("the disk is away")

    def read(self, size=-1):
        raise ConnectionError("the disk is away")


def test_a_disk_that_fails_is_no_damage():
    with pytest.raises(ConnectionError, match="the disk is away"):
        readers.parquet_groups(Unreachable(parquet({"text": ["a"]}).getvalue()))


def test_no_parquet():
    with pytest.raises(FileFormatError, match="A Parquet file was expected"):
        readers.parquet_groups(file("id,text\n1,a\n"))
