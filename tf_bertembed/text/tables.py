"""Rows of TSV, CSV and JSON lines by the names of their columns, with their line numbers."""

import csv
import sys
from collections import Counter
from pathlib import Path

from tf_bertembed import common

DELIMITERS = {".tsv": "\t", ".csv": ","}
JSON_LINES = (".jsonl", ".ndjson", ".json")


def read_rows(path, check_header):
    """Read a table, gzipped or not, whose format its suffix tells.

    Args:
        path: string or `pathlib.Path`. The file.
        check_header: function of a line and the names in the header of a
            table, which raises where they are not what they should be.

    Yields:
        Pairs of the line where a row starts, counted from 1, and the row, a
        dict by the names of the columns. What stands in JSON may be no string.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the suffix tells no format, or the content is
            not of it; with the line.
    """
    path = Path(path)
    suffix = unpacked_suffix(path)
    if suffix in DELIMITERS:
        return _table_rows(path, DELIMITERS[suffix], check_header)
    if suffix in JSON_LINES:
        return _json_rows(path)
    common.require_file(path)
    raise common.FileFormatError(
        path,
        f"The suffix tells the format: {', '.join([*DELIMITERS, *JSON_LINES])}, and .gz after "
        f"it. Received: {suffix or 'no suffix'}.",
    )


def unpacked_suffix(path):
    """The suffix of a path in lower case, the one before it where the last is `.gz`."""
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def _table_rows(path, delimiter, check_header):
    header = None
    for line, values in (_tsv_rows if delimiter == "\t" else _csv_rows)(path):
        if not any(value.strip() for value in values):
            continue
        if header is None:
            header = [value.strip() for value in values]
            check_header(line, header)
            check_distinct(path, line, header)
            continue
        if len(values) != len(header):
            raise common.FileFormatError(
                path,
                f"{len(header)} columns were expected ({', '.join(header)}). "
                f"Received: {len(values)}.",
                line,
            )
        yield line, dict(zip(header, values, strict=True))


def check_distinct(path, line, header):
    """Raise where a header names a column twice; columns without a name are passed over."""
    twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
    if twice:
        raise common.FileFormatError(
            path, f"The column `{twice[0]}` stands {header.count(twice[0])} times.", line
        )


def _tsv_rows(path):
    for line, content in common.read_lines(path):
        yield line, [unquoted(value) for value in content.split("\t")]


def _csv_rows(path):
    reader = csv.reader((f"{line}\n" for _, line in common.read_lines(path)), strict=True)
    while True:
        line = reader.line_num + 1
        # The limit on a column's length is one for the whole process: others get theirs back.
        limit = csv.field_size_limit(sys.maxsize)
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise common.FileFormatError(path, f"This is no CSV: {error}.", line) from error
        finally:
            csv.field_size_limit(limit)
        if values is None:
            return
        yield line, values


def unquoted(value):
    """A column of TSV as it was meant."""
    # Spreadsheets quote a column of TSV only where it holds a quote, doubled
    # then; quotes that are part of a text do not look like that.
    inner = value[1:-1]
    quoted = len(value) > 1 and value[0] == value[-1] == '"' and '""' in inner
    return inner.replace('""', '"') if quoted and '"' not in inner.replace('""', "") else value


def _json_rows(path):
    for line, content in common.read_lines(path):
        if not content.strip():
            continue
        row = common.parse_json(content, path, line)
        if not isinstance(row, dict):
            raise common.FileFormatError(
                path, f"A JSON object was expected. Received: {content:.60}", line
            )
        yield line, row
