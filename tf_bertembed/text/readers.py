"""Readers of labelled texts and of corpora; errors name the file and the line."""

import csv
import json
import math
import sys
from pathlib import Path

from tf_bertembed import common

DELIMITERS = {".tsv": "\t", ".csv": ","}
JSON_LINES = (".jsonl", ".ndjson", ".json")
HEADER = "A header with `text`, or `text_a` and `text_b`, and with `label` or `score` is expected."


def read_labelled(path, labelled=True):
    """Read texts, or pairs of texts, and their labels or scores.

    The file is TSV (`.tsv`; a tab always ends a column, and quotes are text
    but for a column in quotes whose inner quotes are all doubled), CSV
    (`.csv`; quoting as in RFC 4180) or JSON lines (`.jsonl`, `.ndjson`,
    `.json`), gzipped or not (`.gz` after the other suffix). Columns are found
    by their names: `text`, or `text_a` and `text_b`; `label` or `score`;
    others are passed over, and so are blank lines.

    Args:
        path: string or `pathlib.Path`. The file.
        labelled: bool. Whether `label` or `score` must be there.

    Returns:
        A pair. The texts: a list of strings, or for pairs a tuple of two such
        lists. The labels: a list of strings from `label`, a list of floats
        from `score`, or `None` where the file has neither.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8, lacks
            rows or columns, or has an empty text or label, or a score that
            is not a number; with the line.

    Example:

    ```python
    from tf_bertembed import text

    with open("train.tsv", "w", encoding="utf-8") as file:
        file.write("text\\tlabel\\nA fine \\"film\\".\\tgood\\n太差了\\tbad\\n")
    texts, labels = text.read_labelled("train.tsv")
    assert texts == ['A fine "film".', "太差了"] and labels == ["good", "bad"]
    ```
    """
    path = Path(path)
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    if suffix in DELIMITERS:
        rows = _table_rows(path, DELIMITERS[suffix])
    elif suffix in JSON_LINES:
        rows = _json_rows(path)
    else:
        common.require_file(path)
        raise common.FileFormatError(
            path,
            f"The suffix tells the format: {', '.join([*DELIMITERS, *JSON_LINES])}, and .gz after "
            f"it. Received: {suffix or 'no suffix'}.",
        )
    text_columns = target = None
    columns = {}
    for line, row in rows:
        if text_columns is None:
            text_columns, target = _columns(path, line, row, labelled)
            columns = {name: [] for name in (*text_columns, *([target] if target else []))}
        for name, values in columns.items():
            values.append(_value(path, line, row, name))
    if text_columns is None:
        raise common.FileFormatError(path, "No row was found below the header.")
    texts = tuple(columns[name] for name in text_columns)
    return texts[0] if len(texts) == 1 else texts, columns.get(target)


def read_documents(path, one_document_per_line=False):
    """Read a corpus: documents, each a list of sentences or paragraphs.

    Args:
        path: string or `pathlib.Path`. UTF-8 text, gzipped or not: one
            sentence or paragraph a line, a blank line between documents.
        one_document_per_line: bool. Whether each line is a document, with
            tabs between its parts, instead.

    Returns:
        List of lists of strings, without empty ones.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8 (with
            the line), or holds blank lines only.

    Example:

    ```python
    from tf_bertembed import text

    with open("corpus.txt", "w") as file:
        file.write("One.\\nTwo.\\n\\nThree.\\n")
    assert text.read_documents("corpus.txt") == [["One.", "Two."], ["Three."]]
    ```
    """
    documents = [[]]
    for _, line in common.read_lines(path):
        if one_document_per_line:
            documents.append([part.strip() for part in line.split("\t") if part.strip()])
        elif line.strip():
            documents[-1].append(line.strip())
        else:
            documents.append([])
    documents = [document for document in documents if document]
    if not documents:
        raise common.FileFormatError(path, "The file holds blank lines only; text was expected.")
    return documents


def _table_rows(path, delimiter):
    header = None
    for line, values in (_tsv_rows if delimiter == "\t" else _csv_rows)(path):
        if not any(value.strip() for value in values):
            continue
        if header is None:
            header = [value.strip() for value in values]
            _columns(path, line, header, labelled=False)
            continue
        if len(values) != len(header):
            raise common.FileFormatError(
                path,
                f"{len(header)} columns were expected ({', '.join(header)}). "
                f"Received: {len(values)}.",
                line,
            )
        yield line, dict(zip(header, values, strict=True))


def _tsv_rows(path):
    for line, content in common.read_lines(path):
        yield line, [_unquoted(value) for value in content.split("\t")]


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


def _unquoted(value):
    # Spreadsheets quote a column of TSV only where it holds a quote, doubled
    # then; quotes that are part of a text do not look like that.
    inner = value[1:-1]
    quoted = len(value) > 1 and value[0] == value[-1] == '"' and '""' in inner
    return inner.replace('""', '"') if quoted and '"' not in inner.replace('""', "") else value


def _json_rows(path):
    for line, content in common.read_lines(path):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except json.JSONDecodeError as error:
            raise common.FileFormatError(
                path, f"One JSON object a line was expected: {error.msg}.", line
            ) from error
        if not isinstance(row, dict):
            raise common.FileFormatError(
                path, f"A JSON object was expected. Received: {content:.60}", line
            )
        yield line, row


def _columns(path, line, names, labelled):
    pair = "text_a" in names and "text_b" in names
    target = next((name for name in ("label", "score") if name in names), None)
    if not pair and "text" not in names:
        problem = "The column `text` is missing."
    elif labelled and target is None:
        problem = "The column `label` or `score` is missing."
    else:
        return (("text_a", "text_b") if pair else ("text",)), target
    raise common.FileFormatError(path, f"{problem} {HEADER} Received: {', '.join(names)}.", line)


def _value(path, line, row, name):
    value = row.get(name)
    if name == "score":
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise common.FileFormatError(
                path, f"`score` must be a number. Received: {value!r}.", line
            )
        return number
    if name == "label" and isinstance(value, (int, bool)):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise common.FileFormatError(
            path, f"`{name}` must be a string that is not empty. Received: {value!r}.", line
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # JSON can write half of a pair: "\\ud83d".
        raise common.FileFormatError(
            path,
            f"`{name}` must be text. Received: half of a surrogate pair, "
            f"{value[error.start]!r}, at character {error.start + 1}.",
            line,
        ) from error
    return value.strip() if name == "label" else value
