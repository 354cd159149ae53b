"""The format of an input, told by its content and its suffix."""

from pathlib import Path

from tf_bertembed.common import BertEmbedError, require_file
from tf_bertembed.probe.file_embedding.lines import Lines
from tf_bertembed.probe.file_embedding.parquet import MAGIC, ParquetRows
from tf_bertembed.probe.file_embedding.rows import Columns
from tf_bertembed.probe.file_embedding.text_formats import (
    csv_rows,
    json_rows,
    text_rows,
    tsv_rows,
)
from tf_bertembed.text.tables import DELIMITERS, JSON_LINES, unpacked_suffix

PARQUET = "parquet"
_READERS = {"text": text_rows, "tsv": tsv_rows, "csv": csv_rows, "jsonl": json_rows}
FORMATS = (*_READERS, PARQUET)


def find_format(path):
    """Tell the format of a file.

    Args:
        path: string or `pathlib.Path`. The file.

    Returns:
        One of `FORMATS`: `"parquet"` by content, the others by suffix, with
        or without `.gz` after it; `"text"` for any other suffix.

    Raises:
        MissingFileError, FileFormatError: where there is no such file, or it
            is empty.
    """
    path = require_file(path)
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            return PARQUET
    suffix = unpacked_suffix(path)
    if suffix in JSON_LINES:
        return "jsonl"
    # As `.tsv` and `.csv`, the formats of tables are called.
    return suffix[1:] if suffix in DELIMITERS or suffix[1:] == PARQUET else "text"


class TextRows:
    """The rows of a text file; see `Lines` and the readers.

    Args:
        path: `pathlib.Path`. The file.
        columns: a `Columns`.
        read: one of the functions of `text_formats`.
    """

    def __init__(self, path, columns, read):
        self.path = path
        self._lines = Lines(path)
        self._rows = read(self._lines, columns)
        self.total = Path(path).stat().st_size

    @property
    def position(self):
        """How much of `total` was read."""
        return self._lines.position

    def close(self):
        """Close the file."""
        self._lines.close()

    def __iter__(self):
        return self._rows


def open_rows(path, kind, columns):
    """Open a file to read its rows one after the other.

    Args:
        path: string or `pathlib.Path`. The file.
        kind: string. One of `FORMATS`.
        columns: a `Columns`.

    Returns:
        An iterable of `Row` with its `path`, with `total` and `position`,
        numbers that tell how far it got, and `close()`.

    Raises:
        MissingPackageError: where Parquet needs pyarrow.
        MissingFileError: where there is no such file.
        FileFormatError: where it is not of the format, or lacks a column; for
            some of it when rows are read.
        BertEmbedError: where columns are chosen of a file that has none.
    """
    path = Path(path)
    if kind not in FORMATS:
        raise BertEmbedError(f"`format` must be one of {', '.join(FORMATS)}. Received: {kind!r}.")
    if kind == PARQUET:
        return ParquetRows(path, columns)
    if kind == "text" and columns != Columns():
        raise BertEmbedError(
            f"{path} is read as lines of text, which have no columns. Received: "
            f"{columns.text!r} and {columns.id!r}. Choose another format with --format."
        )
    return TextRows(path, columns, _READERS[kind])
