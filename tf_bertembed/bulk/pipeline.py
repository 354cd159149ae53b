"""Files of texts to files of vectors, on any runner of Apache Beam."""

import os
import time

from tf_bertembed.bulk import readers, shards
from tf_bertembed.bulk.beam_package import MetricsFilter, PipelineOptions, PipelineState, beam
from tf_bertembed.bulk.embed_texts import EMBEDDINGS, FAILED, EmbedTexts
from tf_bertembed.bulk.local_runner import choose_runner, default_streams
from tf_bertembed.bulk.matching import find_files
from tf_bertembed.bulk.model_files import find_model
from tf_bertembed.bulk.model_handler import NAMESPACE
from tf_bertembed.bulk.read_texts import ROWS, ReadTexts
from tf_bertembed.bulk.settings import MAX_TEXT_BYTES
from tf_bertembed.common import BertEmbedError, MissingFileError

COUNTERS = ("texts", "failed", "bytes", "batches")


def embed_pipeline(
    inputs,
    saved_model,
    output,
    *,
    output_format=shards.PARQUET,
    input_format=None,
    text_column="text",
    id_column="id",
    max_pieces=None,
    streams=None,
    threads=None,
    max_text_bytes=MAX_TEXT_BYTES,
    large_model=False,
    overwrite=False,
    options=None,
):
    """Embed files of texts with an exported model on a runner of Apache Beam.

    Reads text (a text a line), JSON lines and Parquet, gzipped or not for the
    first two. Writes shards `OUTPUT-00000-of-00002.parquet` and so on, their
    rows in no order: `id`, and `embedding`, a list of float32. The id is that
    of the field or column `id_column`, and where there is none `FILE:LINE`
    with lines counted from 1, or `FILE:ROW` of Parquet with rows from 0. What
    cannot be embedded goes to `OUTPUT-failed-00000-of-00001.jsonl` with the
    reason, and stops nothing.

    Each row is written once, however often a worker is lost: Beam keeps of
    every bundle of work the result of one attempt, and files are written aside
    and renamed when all is done. A pipeline that fails writes nothing.

    Args:
        inputs: string or list of strings. Files, or patterns such as
            `gs://bucket/texts-*.jsonl`, which every worker must see.
        saved_model: string or `pathlib.Path`. As for `SavedModelHandler`. The
            version is chosen here, so that all workers load the same.
        output: string. What the names of the output files begin with.
        output_format: string. `"parquet"` or `"jsonl"`.
        input_format: string. `"text"`, `"jsonl"` or `"parquet"`; `None` for
            what the suffix of each file tells, and text where it tells nothing.
        text_column: string. The field or column of the texts.
        id_column: string. The field or column of the ids, strings or whole
            numbers; it may be missing.
        max_pieces: int. As for `SavedModelHandler`.
        streams: int. As for `SavedModelHandler`; `None` for the cores that a
            worker process has on this machine, and 1 on others.
        threads: int. As for `SavedModelHandler`.
        max_text_bytes: int. As for `SavedModelHandler`.
        large_model: bool. As for `SavedModelHandler`.
        overwrite: bool. Whether files of an earlier run are replaced.
        options: Beam's `PipelineOptions`, or a list of strings that these are
            made of; `None` for a run in this process.

    Returns:
        A dict: `texts` that got a vector, `failed` rows, `bytes` of UTF-8 and
        `batches` (ints), `model_loads` (int; `None` where the runner does not
        tell), `dimensions` (int), `seconds` (float), `outputs` and
        `failed_outputs` (lists of paths).

    Raises:
        MissingFileError: where the model or an input is missing.
        FileFormatError: where the folder holds no exported model.
        OutputExistsError: where there is output already and `overwrite` is
            False.
        BertEmbedError: where the model has no signature `embed`, or a setting
            is none of those above.
        MissingPackageError: where Apache Beam is not installed.

    Example:

    ```python
    import pathlib
    from tf_bertembed import bulk, export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
    folder = export.export_saved_model(task, "saved_models/small", warmup=False)
    pathlib.Path("pets.txt").write_text("A cat.\\nA dog.\\n")
    report = bulk.embed_pipeline("pets.txt", folder, "vectors/pets")
    assert report["texts"] == 2 and report["failed"] == 0
    assert report["outputs"] == ["vectors/pets-00000-of-00001.parquet"]
    ```
    """
    _check_choice("output_format", output_format, shards.FORMATS)
    if input_format is not None:
        _check_choice("input_format", input_format, readers.FORMATS)
    if not isinstance(options, PipelineOptions):
        options = PipelineOptions(list(options or []))
    folder, dimensions = find_model(saved_model)
    files = _find_files(inputs, input_format)
    # Beam's LocalFileSystem finds nothing where a path has no folder.
    output = str(output)
    if not os.path.basename(output):
        raise BertEmbedError(f"The start of a file's name was expected at its end: {output}.")
    output = output if os.path.dirname(output) else os.path.join(".", output)
    embed = EmbedTexts(
        folder,
        max_pieces=max_pieces,
        streams=default_streams(options) if streams is None else streams,
        threads=threads,
        max_text_bytes=max_text_bytes,
        large_model=large_model,
    )
    start = time.perf_counter()
    with shards.replacing(output, overwrite) as list_shards:
        pipeline = beam.Pipeline(runner=choose_runner(options), options=options)
        read = pipeline | "Read texts" >> ReadTexts(files, text_column, id_column)
        done = read[ROWS] | "Embed texts" >> embed
        failed = (read[FAILED], done[FAILED]) | "All failed" >> beam.Flatten()
        _ = done[EMBEDDINGS] | "Write vectors" >> shards.WriteEmbeddings(
            output, output_format, dimensions
        )
        _ = failed | "Write failed" >> shards.WriteFailures(output)
        result = pipeline.run()
        state = result.wait_until_finish()
        if state != PipelineState.DONE:
            raise RuntimeError(f"The pipeline ended as {state}.")
        counts = _counted(result)
    outputs, failed_outputs = list_shards()
    return {
        **counts,
        "dimensions": dimensions,
        "seconds": time.perf_counter() - start,
        "outputs": outputs,
        "failed_outputs": failed_outputs,
    }


def _check_choice(name, value, choices):
    if value not in choices:
        raise BertEmbedError(f"`{name}` must be {' or '.join(choices)}. Received: {value!r}.")


def _find_files(inputs, kind):
    found = {}
    for pattern in map(str, inputs if isinstance(inputs, list | tuple) else [inputs]):
        paths = find_files(pattern)
        if not paths and os.path.isdir(pattern):
            raise BertEmbedError(f"{pattern} is a folder. Write {pattern}/* for the files in it.")
        if not paths:
            raise MissingFileError(pattern, "A file or a pattern of files was expected.")
        found.update((path, kind or readers.format_of(path)) for path in paths)
    if not found:
        raise BertEmbedError("There is no input. Received: an empty list.")
    return sorted(found.items())


def _counted(result):
    metrics = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))
    counts = dict.fromkeys(COUNTERS, 0)
    for counter in metrics["counters"]:
        if counter.key.metric.name in counts:
            # A count of 0 is `None` on some runners.
            counts[counter.key.metric.name] += counter.result or 0
    loads = [
        distribution.result.count
        for distribution in metrics["distributions"]
        if distribution.key.metric.name == "load_model_latency_milli_secs" and distribution.result
    ]
    return {**counts, "model_loads": sum(loads) if loads else None}
