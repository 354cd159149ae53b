"""Texts of files as a step of a pipeline."""

from typing import NamedTuple

from tf_bertembed.bulk import readers
from tf_bertembed.bulk.beam_package import CompressionTypes, FileSystems, Metrics, beam
from tf_bertembed.bulk.failures import TextFailure, failure_of
from tf_bertembed.bulk.model_handler import NAMESPACE
from tf_bertembed.common import FileFormatError

ROWS, FAILED = "rows", "failed"


class Place(NamedTuple):
    """Where a row stands: what the pipeline uses as its key.

    Args:
        file: string. The file.
        line: int. The line, counted from 1; `None` in Parquet files.
        row: int. The row of a Parquet file, counted from 0; `None` in others.
        id: string. The id that the row brings along; `None` where it has none.
    """

    file: str
    line: int | None
    row: int | None
    id: str | None

    @property
    def name(self):
        """The row's id, and where it has none, where it stands."""
        if self.id is not None:
            return self.id
        number = self.row if self.line is None else self.line
        # A file that cannot be read has neither.
        return self.file if number is None else f"{self.file}:{number}"


class ReadTexts(beam.PTransform):
    """Reads files as pairs of a `Place` and a text.

    Files, and row groups of Parquet files, are read by one worker each; their
    rows are then shared out among all.

    Args:
        files: list of pairs of strings: path and format.
        text_column: string. The field or column of the texts.
        id_column: string. That of the ids.
    """

    def __init__(self, files, text_column="text", id_column="id"):
        super().__init__()
        self._files = files
        self._columns = (text_column, id_column)

    def expand(self, pipeline):
        parts = (
            pipeline
            | "Files" >> beam.Create(self._files)
            | "Cut" >> beam.ParDo(_Cut()).with_outputs(FAILED, main=ROWS)
        )
        found = (
            parts[ROWS]
            | "Share parts" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_Read(*self._columns)).with_outputs(FAILED, main=ROWS)
        )
        # Reading is fused with nothing, so that one long file keeps every worker busy.
        rows = found[ROWS] | "Share rows" >> beam.Reshuffle()
        failed = (parts[FAILED], found[FAILED]) | "Failed" >> beam.Flatten()
        return {ROWS: rows, FAILED: failed}


def _open(path):
    # Whether it is gzip its content tells, and not its name.
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _failed(place, failure):
    Metrics.counter(NAMESPACE, FAILED).inc()
    return beam.pvalue.TaggedOutput(FAILED, (place, failure))


class _Cut(beam.DoFn):
    def process(self, file):
        path, kind = file
        if kind != readers.PARQUET:
            yield path, kind, None, 0
            return
        with _open(path) as opened:
            try:
                groups = readers.parquet_groups(opened)
            except FileFormatError as error:
                yield _failed(Place(path, None, None, None), failure_of(error.problem, ""))
                return
        for group, before in groups:
            yield path, kind, group, before


class _Read(beam.DoFn):
    def __init__(self, text_column, id_column):
        self._columns = (text_column, id_column)

    def process(self, part):
        path, kind, group, before = part
        with _open(path) as file:
            for number, key, found in self._rows(file, kind, group, before):
                lines = kind != readers.PARQUET
                place = Place(path, number if lines else None, None if lines else number, key)
                if isinstance(found, TextFailure):
                    yield _failed(place, found)
                else:
                    yield place, found

    def _rows(self, file, kind, group, before):
        if kind == readers.PARQUET:
            return readers.parquet_rows(file, group, before, *self._columns)
        if kind == readers.JSON_LINES:
            return readers.json_rows(file, *self._columns)
        return readers.text_rows(file)
