"""`tf-bertembed embed`: the vectors of a file of texts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow_when_imported
from tf_bertembed.cli.options import Force, Json, Seed, output_as
from tf_bertembed.common import BertEmbedError


def embed(
    model: Annotated[
        str,
        typer.Argument(
            help="An exported model, a RUN, a checkpoint folder or a name.", metavar="MODEL"
        ),
    ],
    texts: Annotated[
        Path,
        typer.Argument(
            help="A text a line; .tsv or .csv with a header; .jsonl; all may be gzipped; or "
            "Parquet.",
            metavar="INPUT",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", help="The file to write: .npy, .parquet or .arrow.")
    ],
    text_column: Annotated[
        str, typer.Option("--text-column", help="The column of the texts.")
    ] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id-column", help="The column of the ids. By default the row's number, from 0."
        ),
    ] = None,
    input_format: Annotated[
        Literal["text", "tsv", "csv", "jsonl", "parquet"] | None,
        typer.Option("--format", help="Of INPUT. By default told by content and suffix."),
    ] = None,
    pooling: Annotated[
        Literal["mean", "max", "cls"] | None,
        typer.Option(
            "--pooling",
            help="By default what a sentence-transformers folder says, and elsewhere mean. An "
            "exported model has its own.",
        ),
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Whether vectors have length 1. By default what a sentence-transformers folder "
            "says.",
        ),
    ] = None,
    sequence_length: Annotated[
        int | None, typer.Option("--sequence-length", min=3, help="The most pieces of a text.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, help="The most texts in a batch. By default no limit."),
    ] = None,
    max_pieces: Annotated[
        int | None,
        typer.Option(
            "--max-pieces",
            min=1,
            help="The most pieces in a batch, which bounds its memory. By default 1024.",
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            help="The layer whose states are pooled, or several with commas, whose mean is: 0 is "
            "the embeddings, -1 the last. By default the last.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="A folder that keeps vectors by text, for later runs."),
    ] = None,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=0, help="Stop where more rows fail. By default go on."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what a killed run has left.")
    ] = False,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Write the vector of each row of a file of any size.

    Vectors are float32, a row for each row of INPUT and in its order: an
    array for `numpy.load`, with NAME.ids.jsonl beside it where there is an
    --id-column, or a table of `id` and `embedding`. A row that cannot be read
    keeps its place with a vector of NaN, and NAME.failed.jsonl says why; the
    exit code is then 1. A run that was killed goes on where it stopped when
    the same command is given again. Every core runs batches of its own.
    Nothing here is random: --seed changes nothing.
    """
    from tf_bertembed import probe

    streams = start_tensorflow_when_imported(streams=True)
    with output_as(as_json) as print_json:
        report = probe.embed_file(
            model,
            texts,
            output,
            pooling=pooling,
            normalize=normalize,
            sequence_length=sequence_length,
            batch_size=batch_size,
            max_pieces=max_pieces,
            streams=streams,
            overwrite=force,
            layers=_layers(layers),
            cache=cache,
            text_column=text_column,
            id_column=id_column,
            format=input_format,
            max_failures=max_failures,
            restart=restart,
        )
        if print_json:
            print_json(report)
        else:
            _print(report)
    if report["failed"]:
        raise typer.Exit(1)


def _layers(written):
    if written is None:
        return None
    try:
        found = [int(one) for one in written.split(",")]
    except ValueError as error:
        raise BertEmbedError(
            f"--layers takes whole numbers with commas between them. Received: {written}."
        ) from error
    return found if len(found) > 1 else found[0]


def _print(report):
    print("{texts} texts, {dimensions} numbers each: {output}".format(**report))
    if report["resumed"]:
        print("{resumed} of the rows stood there from an earlier run.".format(**report))
    if report["failed"]:
        rows = "row" if report["failed"] == 1 else "rows"
        print(f"{report['failed']} {rows} failed: {report['failures']}")
    fresh = report["rows"] - report["resumed"]
    print(f"{fresh} rows in {report['seconds']:.1f} s, the loading of the model included")
