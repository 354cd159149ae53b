"""The vectors of the texts of a file, in a file."""

import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import time
from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError, check_at_least, progress
from tf_bertembed.common.windows import WINDOW
from tf_bertembed.probe.file_embedding.outputs import Outputs
from tf_bertembed.probe.file_embedding.rows import Columns, windows
from tf_bertembed.probe.file_embedding.sources import find_format, open_rows
from tf_bertembed.probe.file_embedding.tables import write_table
from tf_bertembed.probe.file_embedding.unfinished import UnfinishedFile
from tf_bertembed.probe.file_embedding.vectors import VECTORS, end_vectors
from tf_bertembed.probe.file_embedding.window_writer import WindowWriter
from tf_bertembed.probe.model_files import model_folder
from tf_bertembed.probe.opened_encoder import encoder_fingerprint, open_encoder


def embed_file(
    path,
    input_path,
    output,
    pooling=None,
    normalize=None,
    sequence_length=None,
    batch_size=None,
    max_pieces=None,
    streams=None,
    overwrite=False,
    layers=None,
    cache=None,
    text_column="text",
    id_column=None,
    format=None,
    max_failures=None,
    restart=False,
):
    """Encode the texts of a file of any size and write their vectors to a file.

    Rows are read, encoded and put on disk a window of 16,384 at a time, so
    that memory does not grow with the file. What is done stands in the folder
    `.NAME.unfinished` beside the output until all is done: after a kill, the
    same call goes on there, and ends, on the same machine, with the same bytes
    as if it had not been interrupted (with `cache`, whose content decides
    which texts share a batch, with the same numbers but for rounding).

    The output has a row for each row of the input, in its order. A row that
    cannot be read (not UTF-8, broken JSON, another number of columns, no
    string under `text_column`, no id under `id_column`) keeps its place with a
    vector of NaN, and `NAME.failed.jsonl` tells for each such row its `row`
    (from 0, as in the output), `line` (from 1; `null` for Parquet), `id` and
    `reason`.

    Args:
        path: string or `pathlib.Path`. The model, as for
            `BertEmbedTransformer`.
        input_path: string or `pathlib.Path`. Lines of text (an empty line is
            an empty text), a table with a header (`.tsv`, `.csv`), JSON lines
            (`.jsonl`, `.ndjson`, `.json`), each gzipped or not, or Parquet.
            UTF-8; blank lines of tables and JSON lines are passed over.
        output: string or `pathlib.Path`. `.npy`: an array `[N, D]`, float32,
            and where there is an `id_column` the file `NAME.ids.jsonl`, an id
            a line. `.parquet`, or `.arrow` or `.feather` (Arrow's file
            format): columns `id` and `embedding`, a fixed-size list of float32
            `[D]`, and in the schema's metadata `model`, `fingerprint` and the
            settings. Both need the package `pyarrow`.
        pooling: string. As for `BertEmbedTransformer`.
        normalize: bool. As for `BertEmbedTransformer`.
        sequence_length: int. As for `BertEmbedTransformer`.
        batch_size: int. As for `BertEmbedTransformer`.
        max_pieces: int. As for `BertEmbedTransformer`.
        streams: int. The batches that run at a time; `None` for two.
        overwrite: bool. Whether to replace what stands at `output`.
        layers: int or list of ints. As for `BertEmbedTransformer`.
        cache: string or `pathlib.Path`. As for `BertEmbedTransformer`.
        text_column: string. The column of the texts, where there are columns.
        id_column: string. The column of the ids, strings or whole numbers (in
            TSV and CSV always strings); `None` for the number of the row, from
            0. Whether an id stands there twice is not looked at.
        format: string. `"text"`, `"tsv"`, `"csv"`, `"jsonl"` or `"parquet"`;
            `None` to tell it by content and suffix.
        max_failures: int. The most rows that may fail; `None` for any number,
            but never all of the first window.
        restart: bool. Whether to throw away what a run left unfinished.

    Returns:
        A dict of `rows`, `texts` (the rows that did not fail), `failed`,
        `empty` (the texts without a character), `resumed` (the rows that an
        earlier run had done), `dimensions`, `seconds`, `rows_per_second`,
        `output`, and, or `None`, the paths `ids` and `failures`.

    Raises:
        MissingFileError: where the model or the file is missing.
        MissingPackageError: where Parquet or Arrow needs pyarrow.
        FileFormatError: where the file is not of its format, lacks a column,
            has no row, or none that can be read in the first window, or
            changed while it was read.
        OutputExistsError: where something stands at `output` already, or at
            one of the places beside it.
        BertEmbedError: where a setting does not suit the model, more than
            `max_failures` rows failed, another process writes to `output`, or
            unfinished work is of another input, model or setting.

    Example:

    ```python
    import pathlib
    import numpy as np
    from tf_bertembed import models, probe, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert", tokenizer)
    pathlib.Path("pets.tsv").write_text("id\\ttext\\n7\\tA cat.\\n8\\tA dog.\\n9\\n")
    report = probe.embed_file("my-bert", "pets.tsv", "pets.npy", id_column="id")
    assert (report["texts"], report["failed"]) == (2, 1)
    assert np.isnan(np.load("pets.npy")).any(axis=1).tolist() == [False, False, True]
    assert pathlib.Path("pets.ids.jsonl").read_text().split() == ['"7"', '"8"', "null"]
    ```
    """
    began = time.perf_counter()
    input_path, output = Path(input_path), Path(output)
    if max_failures is not None:
        check_at_least(0, max_failures=max_failures)
    kind = find_format(input_path) if format is None else format
    outputs = Outputs(output, with_ids=id_column is not None)
    settings = {
        "pooling": pooling,
        "normalize": normalize,
        "sequence_length": sequence_length,
        "layers": layers,
    }
    with (
        contextlib.closing(open_rows(input_path, kind, Columns(text_column, id_column))) as rows,
        contextlib.closing(UnfinishedFile(output)) as work,
    ):
        if restart:
            work.clear()
        # Where all is done but moving the files, some may have been moved already.
        moving = work.state is not None and work.state["complete"]
        if not moving:
            outputs.check_free(input_path, overwrite)
        before = input_path.stat()
        # Of an exported model the version that is there now, whatever else appears.
        folder = model_folder(path)
        job = {
            "input": _digest(input_path),
            "format": kind,
            "text column": text_column,
            "id column": id_column,
            "output format": output.suffix,
            "settings": settings,
            "model": encoder_fingerprint(folder, settings),
            "limits": {"batch_size": batch_size, "max_pieces": max_pieces},
            "window": WINDOW,
        }
        _check_same(work, job)
        resumed = work.state["rows"] if work.state else 0
        if not moving:
            writer = WindowWriter(work, job, max_failures, input_path)
            limits = batch_size, max_pieces, streams
            _embed(rows, writer, lambda: open_encoder(folder, **settings, cache=cache), limits)
            after = input_path.stat()
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise FileFormatError(input_path, "The file changed while it was read.")
            _complete(work, outputs, path)
        state = work.state
        outputs.place(work.folder, state["failed"], overwrite)
        work.remove()
    return _report(state, outputs, resumed, time.perf_counter() - began)


def _embed(rows, writer, open_model, limits):
    todo = windows(itertools.islice(rows, writer.rows, None), WINDOW)
    with contextlib.closing(_ahead(todo)) as todo, writer:
        first = next(todo, [])
        if not writer.rows:
            _check_readable(first, rows.path)
        elif not first:
            return
        # Not before the input has shown what it is: a model takes seconds to load.
        encoder = open_model()
        with progress("Embedding rows", rows.total) as advance:
            reached = 0
            for window in itertools.chain([first], todo):
                writer.write(window, _vectors(encoder, window, limits))
                advance(rows.position - reached)
                reached = rows.position


def _check_readable(window, path):
    if not window:
        raise FileFormatError(path, "No row was found in the file.")
    if all(row.problem for row in window):
        number = "Each row" if len(window) < WINDOW else f"Each of the first {WINDOW} rows"
        raise FileFormatError(
            path, f"{number} failed; the first: {window[0].problem}", window[0].line
        )


def _vectors(encoder, window, limits):
    readable = [row.text is not None for row in window]
    texts = [row.text for row in window if row.text is not None]
    if all(readable):
        return encoder.encode(texts, *limits)
    vectors = np.full((len(window), encoder.dimensions), np.nan, "float32")
    if texts:
        vectors[readable] = encoder.encode(texts, *limits)
    return vectors


def _ahead(iterator):
    """Yield what an iterator gives, the next of it being taken in a thread meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, iterator, None)
            yield item


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_same(work, job):
    if work.state is None:
        return
    before = work.state["job"]
    # As JSON gives it back.
    now = json.loads(json.dumps(job))
    different = [name for name in now if now[name] != before.get(name)]
    if different:
        name = different[0]
        raise BertEmbedError(
            f"{work.folder} holds unfinished work of another {name}. Received: {now[name]}; "
            f"before: {before.get(name)}. Go on with what it was begun with, or begin anew with "
            "`restart=True` (--restart)."
        )


def _complete(work, outputs, path):
    state = work.state
    end_vectors(work.folder / VECTORS, state["rows"], state["dimensions"])
    if outputs.is_table:
        about = {"model": str(path), "fingerprint": state["job"]["model"]}
        settings = {name: json.dumps(value) for name, value in state["job"]["settings"].items()}
        write_table(work.folder, outputs.output.suffix, state, {**about, **settings})
    work.commit({**state, "complete": True})


def _report(state, outputs, resumed, seconds):
    return {
        "rows": state["rows"],
        "texts": state["rows"] - state["failed"],
        "failed": state["failed"],
        "empty": state["empty"],
        "resumed": resumed,
        "dimensions": state["dimensions"],
        "seconds": round(seconds, 3),
        "rows_per_second": round((state["rows"] - resumed) / seconds, 1),
        "output": str(outputs.output),
        "ids": str(outputs.ids) if outputs.with_ids else None,
        "failures": str(outputs.failed) if state["failed"] else None,
    }
