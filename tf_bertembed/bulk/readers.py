"""Rows of text, JSON lines and Parquet, where one bad row does not stop the others."""

import gzip
from pathlib import PurePosixPath

from tf_bertembed.bulk.failures import failure_of
from tf_bertembed.common import BertEmbedError, FileFormatError, decode_line, parse_json
from tf_bertembed.common.files import GZIP_MAGIC
from tf_bertembed.text import tables
from tf_bertembed.text.parquet_files import column_problem, open_parquet, read_columns
from tf_bertembed.text.raw_lines import LONGEST, endless, raw_lines
from tf_bertembed.text.row_values import id_problem, object_problem, text_problem

TEXT, JSON_LINES, PARQUET = "text", "jsonl", "parquet"
FORMATS = (TEXT, JSON_LINES, PARQUET)
ROWS_AT_A_TIME = 1024


def format_of(path):
    """The format of a file by its suffix.

    Args:
        path: string. Its name; `.gz` after the suffix is passed over.

    Returns:
        `"text"`, `"jsonl"` or `"parquet"`.

    Raises:
        BertEmbedError: where the suffix tells of a table with several columns.
    """
    suffix = tables.unpacked_suffix(PurePosixPath(path))
    if suffix in tables.DELIMITERS:
        raise BertEmbedError(
            f"{path} is a table. Convert it to JSON lines or Parquet, or read its lines as texts "
            "with --input-format text."
        )
    if suffix in tables.JSON_LINES:
        return JSON_LINES
    return PARQUET if suffix == f".{PARQUET}" else TEXT


def read_lines(file, longest=LONGEST):
    """Read lines that may be broken, each for itself.

    Args:
        file: binary file that can seek; unpacked where its content is gzip.
        longest: int. The most bytes of a line.

    Yields:
        Pairs of an int, counted from 1, and a string, or the `TextFailure` of
        a line that is not UTF-8, is too long or cannot be unpacked, which ends
        the file.
    """
    packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    if packed:
        file = gzip.GzipFile(fileobj=file)
    number = 0
    try:
        for number, line in raw_lines(file, "", longest):
            found = failure_of(endless(longest), "") if line is None else _decoded(number, line)
            yield number, found
    except FileFormatError as error:
        yield number + 1, failure_of(error.problem, "")


def _decoded(number, line):
    try:
        return decode_line("", number, line)
    except FileFormatError as error:
        return failure_of(error.problem, line.decode("utf-8", "backslashreplace"))


def text_rows(file):
    """Read a text a line; an empty line is an empty text.

    Args:
        file: binary file that can seek.

    Yields:
        Triples of an int (the line), `None` (no id) and a string or a
        `TextFailure`.
    """
    for line, found in read_lines(file):
        yield line, None, found


def json_rows(file, text_column="text", id_column="id"):
    """Read an object a line; blank lines are passed over.

    Args:
        file: binary file that can seek.
        text_column: string. The field of the text.
        id_column: string. The field of the id, which may be missing.

    Yields:
        Triples of an int (the line), a string or `None` (the id) and a string
        or a `TextFailure`.
    """
    for line, found in read_lines(file):
        if not isinstance(found, str):
            yield line, None, found
        elif found.strip():
            yield line, *_json_row(found, text_column, id_column)


def _json_row(line, text_column, id_column):
    try:
        row = parse_json(line, "")
    except FileFormatError as error:
        return None, failure_of(error.problem, line)
    problem = object_problem(row)
    if problem is not None:
        return None, failure_of(problem, line)
    return _columns(row, text_column, id_column, line)


def _columns(row, text_column, id_column, shown):
    key = row.get(id_column)
    problem = None if key is None else id_problem(id_column, key)
    if problem is not None:
        return None, failure_of(problem, shown)
    problem = text_problem(text_column, row)
    found = row[text_column] if problem is None else failure_of(problem, shown)
    return None if key is None else str(key), found


def parquet_groups(file):
    """The row groups of a Parquet file, which can be read apart.

    Args:
        file: binary file that can seek.

    Returns:
        A list of pairs: the number of the group, and how many rows stand
        before it.

    Raises:
        FileFormatError: where it is no Parquet file.
    """
    metadata = open_parquet(file, "").metadata
    groups, before = [], 0
    for group in range(metadata.num_row_groups):
        groups.append((group, before))
        before += metadata.row_group(group).num_rows
    return groups


def parquet_rows(file, group, before, text_column="text", id_column="id"):
    """Read the rows of one row group of a Parquet file.

    Args:
        file: binary file that can seek.
        group: int. The row group.
        before: int. How many rows stand before it.
        text_column: string. The column of the texts.
        id_column: string. The column of the ids, which may be missing.

    Yields:
        Triples of an int (the row, counted from 0), a string or `None` (the
        id) and a string or a `TextFailure`; one for a whole group that has no
        such column or two of one name, and one for all that comes after
        damage.
    """
    parquet = open_parquet(file, "")
    names = parquet.schema_arrow.names
    problem = text_problem(text_column, dict.fromkeys(names, ""))
    problem = problem or column_problem(parquet, text_column, id_column)
    if problem is not None:
        yield before, None, failure_of(problem, "")
        return
    columns = [name for name in dict.fromkeys((text_column, id_column)) if name in names]
    number = before
    try:
        for values in read_columns(parquet, "", columns, ROWS_AT_A_TIME, [group]):
            row = dict(zip(columns, values, strict=True))
            yield number, *_columns(row, text_column, id_column, repr(row))
            number += 1
    except FileFormatError as error:
        yield number, None, failure_of(error.problem, "")
