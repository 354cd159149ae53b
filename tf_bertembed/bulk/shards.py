"""The files that a pipeline writes, and those of an earlier run that they replace."""

import contextlib
import dataclasses
import json
import shutil

from tf_bertembed.bulk.beam_package import CompressionTypes, FileSystems, beam
from tf_bertembed.bulk.matching import find_shards, find_unfinished
from tf_bertembed.common import MissingPackageError, OutputExistsError

PARQUET, JSON_LINES = "parquet", "jsonl"
FORMATS = (PARQUET, JSON_LINES)
PLAIN = CompressionTypes.UNCOMPRESSED


def failed_prefix(output):
    """The prefix of the files of failed rows."""
    return f"{output}-failed"


@contextlib.contextmanager
def replacing(output, overwrite):
    """Guard the files of an earlier run while a pipeline writes its own.

    Args:
        output: string. The prefix of the vectors' files.
        overwrite: bool. Whether the files of an earlier run may be replaced.
            They are removed once the body has ended well; where it raises,
            they stay, and what it left unfinished goes.

    Yields:
        A function that lists the files: of the vectors, and of failed rows.

    Raises:
        OutputExistsError: where there are such files and they must stay.
    """
    prefixes = (output, failed_prefix(output))

    def standing():
        return {path: time for prefix in prefixes for path, time in find_shards(prefix).items()}

    old, unfinished = standing(), find_unfinished(output)
    if old and not overwrite:
        raise OutputExistsError(min(old), "Choose another --output, or replace it with --force.")
    try:
        yield lambda: [list(find_shards(prefix)) for prefix in prefixes]
    except BaseException:
        for folder in find_unfinished(output) - unfinished:
            shutil.rmtree(folder)
        fresh = [path for path in standing() if path not in old]
        if fresh:
            FileSystems.delete(fresh)
        raise
    now = standing()
    stale = [path for path, time in old.items() if now.get(path) == time]
    if stale:
        FileSystems.delete(stale)


class WriteEmbeddings(beam.PTransform):
    """Writes pairs of a `Place` and a vector as `PREFIX-00000-of-00002.parquet` and so on.

    Columns `id` (string) and `embedding` (float32, as many as the model's
    width). Files are written beside their place and renamed at the end.

    Args:
        output: string. The prefix.
        kind: string. `"parquet"` or `"jsonl"`.
        dimensions: int. The numbers in a vector.
    """

    def __init__(self, output, kind, dimensions):
        super().__init__()
        self._output = output
        self._kind = kind
        self._dimensions = dimensions

    def expand(self, pairs):
        if self._kind == JSON_LINES:
            write = beam.io.WriteToText(self._output, ".jsonl", compression_type=PLAIN)
            return pairs | "Lines" >> beam.MapTuple(_line) | "Write" >> write
        schema = embedding_schema(self._dimensions)
        write = beam.io.WriteToParquet(
            self._output, schema, file_name_suffix=".parquet", codec="snappy"
        )
        return pairs | "Rows" >> beam.MapTuple(_row) | "Write" >> write


def embedding_schema(dimensions):
    """The columns of the Parquet files.

    Args:
        dimensions: int. The numbers in a vector.

    Returns:
        A `pyarrow.Schema`.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingPackageError(["'tf-bertembed[parquet]'"], "A Parquet file") from error
    return pyarrow.schema(
        [
            pyarrow.field("id", pyarrow.string(), nullable=False),
            pyarrow.field("embedding", pyarrow.list_(pyarrow.float32(), dimensions), False),
        ]
    )


def _row(place, vector):
    return {"id": place.name, "embedding": vector}


def _line(place, vector):
    # Eight digits tell one float32 from the next; those of its float64 would be twice as many.
    numbers = [float(f"{number:.9g}") for number in vector.tolist()]
    return json.dumps({"id": place.name, "embedding": numbers}, ensure_ascii=False)


class WriteFailures(beam.PTransform):
    """Writes failed rows as JSON lines, `PREFIX-failed-…`; none where none failed.

    Each line has `id`, `file`, `line` (from 1) or `row` (of Parquet, from 0),
    `reason` and `received` (what stood there, cut after 200 characters).

    Args:
        output: string. The prefix of the vectors' files.
    """

    def __init__(self, output):
        super().__init__()
        self._output = output

    def expand(self, pairs):
        write = beam.io.WriteToText(
            failed_prefix(self._output), ".jsonl", compression_type=PLAIN, skip_if_empty=True
        )
        return pairs | "Lines" >> beam.MapTuple(_failed_line) | "Write" >> write


def _failed_line(place, failure):
    where = {**place._asdict(), "id": place.name}
    return json.dumps({**where, **dataclasses.asdict(failure)}, ensure_ascii=False)
