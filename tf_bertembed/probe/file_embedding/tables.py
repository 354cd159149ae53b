"""Vectors and ids as a Parquet or Arrow file."""

import contextlib
import itertools
import json
import os

from tf_bertembed.common.windows import WINDOW
from tf_bertembed.probe.file_embedding.vectors import VECTORS, read_vectors
from tf_bertembed.text.parquet_files import import_arrow

IDS, TABLE = "ids.jsonl", "table"
TABLES = (".parquet", ".arrow", ".feather")


def write_table(folder, suffix, state, metadata):
    """Write vectors and ids as a Parquet or Arrow file, a window of rows at a time.

    Args:
        folder: `pathlib.Path`. Where the vectors are, and the ids where the
            input has any; and where the table is written to.
        suffix: string. One of `TABLES`.
        state: dict with `rows`, `dimensions`, `id_column` and `number_ids`.
        metadata: dict of strings. What the schema tells of the vectors.
    """
    arrow = import_arrow(f"Writing {suffix} files")
    numbers = state["id_column"] is None or state["number_ids"]
    width = state["dimensions"]
    schema = arrow.schema(
        [
            arrow.field("id", arrow.int64() if numbers else arrow.string()),
            arrow.field("embedding", arrow.list_(arrow.float32(), width), nullable=False),
        ],
        metadata,
    )
    with (folder / TABLE).open("wb") as file:
        with _table_writer(arrow, suffix, file, schema) as writer:
            for ids, vectors in _windows(folder, state):
                if not numbers:
                    ids = [None if one is None else str(one) for one in ids]
                columns = [
                    arrow.array(ids, schema.field("id").type),
                    arrow.FixedSizeListArray.from_arrays(arrow.array(vectors.reshape(-1)), width),
                ]
                writer.write_batch(arrow.RecordBatch.from_arrays(columns, schema=schema))
        file.flush()
        os.fsync(file.fileno())


def _table_writer(arrow, suffix, file, schema):
    if suffix != ".parquet":
        return arrow.ipc.new_file(file, schema)
    # Numbers of vectors hardly repeat: dictionaries and packing would cost time and gain nothing.
    packing = {"id": "snappy", "embedding.list.element": "none"}
    return arrow.parquet.ParquetWriter(
        file, schema, use_dictionary=False, compression=packing, write_statistics=["id"]
    )


def _windows(folder, state):
    sizes = [min(WINDOW, state["rows"] - begin) for begin in range(0, state["rows"], WINDOW)]
    with contextlib.ExitStack() as stack:
        vectors = stack.enter_context((folder / VECTORS).open("rb"))
        if state["id_column"] is None:
            ids = iter(range(state["rows"]))
        else:
            ids = map(json.loads, stack.enter_context((folder / IDS).open("rb")))
        for found in read_vectors(vectors, state["dimensions"], sizes):
            yield list(itertools.islice(ids, len(found))), found
