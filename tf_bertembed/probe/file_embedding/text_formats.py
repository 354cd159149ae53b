"""Rows of text files: lines of text, TSV, CSV and JSON lines."""

import collections
import csv

from tf_bertembed.common import FileFormatError, decode_line, parse_json
from tf_bertembed.probe.file_embedding.rows import Row
from tf_bertembed.text.raw_lines import LONGEST, endless
from tf_bertembed.text.row_values import object_problem
from tf_bertembed.text.tables import check_distinct, unquoted


def text_rows(lines, columns):
    """A text a line; an empty line is an empty text."""
    for line, content in lines:
        try:
            yield Row(line, None, _decoded(lines.path, line, content))
        except FileFormatError as error:
            yield Row(line, None, None, error.problem)


def json_rows(lines, columns):
    """A JSON object a line; blank lines are passed over."""
    for line, content in lines:
        if content is not None and not content.strip():
            continue
        try:
            values = parse_json(_decoded(lines.path, line, content), lines.path, line)
        except FileFormatError as error:
            yield Row(line, None, None, error.problem)
            continue
        problem = object_problem(values)
        yield columns.row(line, values) if problem is None else Row(line, None, None, problem)


def tsv_rows(lines, columns):
    """A table with a header, a tab between columns, quoted as `text.read_labelled` has it."""
    return _table_rows(lines, columns, _tsv_values)


def csv_rows(lines, columns):
    """A table with a header, quoted as in RFC 4180."""
    return _table_rows(lines, columns, _csv_values)


def _decoded(path, line, content):
    if content is None:
        raise FileFormatError(path, endless(), line)
    return decode_line(path, line, content)


def _table_rows(lines, columns, values_of):
    header = None
    for line, values, problem in values_of(lines):
        if problem is None and not any(value.strip() for value in values):
            continue
        if header is None:
            header = _header(lines.path, line, values, problem, columns)
        elif problem is not None:
            yield Row(line, None, None, problem)
        elif len(values) != len(header):
            yield Row(
                line,
                None,
                None,
                f"{len(header)} columns were expected. Received: {len(values)}.",
            )
        else:
            yield columns.row(line, dict(zip(header, values, strict=True)))


def _header(path, line, values, problem, columns):
    header = [] if problem else [value.strip() for value in values]
    problem = problem or columns.missing(header)
    if problem:
        raise FileFormatError(path, f"{problem} The first line names the columns.", line)
    check_distinct(path, line, header)
    return header


def _tsv_values(lines):
    for line, content in lines:
        try:
            text = _decoded(lines.path, line, content)
        except FileFormatError as error:
            yield line, None, error.problem
        else:
            yield line, [unquoted(value) for value in text.split("\t")], None


def _csv_values(lines):
    fresh = ((line, *_csv_line(lines.path, line, content)) for line, content in lines)
    again, taken = collections.deque(), []

    def feed():
        while (one := again.popleft() if again else next(fresh, None)) is not None:
            taken.append(one)
            yield one[1]

    reader = csv.reader(feed(), strict=True)
    while True:
        taken.clear()
        values = problem = None
        # The limit on a column's length is one for the whole process: others get theirs back. A
        # quote that is never closed must not gather the rest of the file.
        limit = csv.field_size_limit(LONGEST)
        try:
            values = next(reader, None)
        except csv.Error as error:
            problem = f"This is no CSV: {error}."
            # Only its first line is lost: a quote that is not closed has taken others along.
            again.extendleft(reversed(taken[1:]))
            del taken[1:]
            reader = csv.reader(feed(), strict=True)
        finally:
            csv.field_size_limit(limit)
        if not taken:
            return
        faults = [fault for _, _, fault in taken if fault is not None]
        yield taken[0][0], values, (faults or [problem])[0]


def _csv_line(path, line, content):
    # A row may go on over lines: the reader must see every one of them, a bad one too.
    try:
        return f"{_decoded(path, line, content)}\n", None
    except FileFormatError as error:
        return f"{(content or b'').decode(errors='replace')}\n", error.problem
