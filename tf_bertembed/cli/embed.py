"""`tf-bertembed embed`: the vectors of a file of texts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as


def embed(
    model: Annotated[
        str,
        typer.Argument(
            help="An exported model, a RUN, a checkpoint folder or a name.", metavar="MODEL"
        ),
    ],
    texts: Annotated[
        Path, typer.Argument(help="UTF-8, a text a line; may be gzipped.", metavar="INPUT")
    ],
    output: Annotated[Path, typer.Option("--output", help="The file to write, .npy.")],
    pooling: Annotated[
        Literal["mean", "max", "cls"] | None,
        typer.Option("--pooling", help="By default what a sentence-transformers folder says."),
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
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Write the vector of each line of a file.

    An array of float32, a row a line, for `numpy.load`. Every core runs
    batches of its own. Nothing here is random: --seed changes nothing.
    """
    from tf_bertembed import probe

    streams = start_tensorflow(streams=True)
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
        )
        if print_json:
            print_json(report)
        else:
            print("{texts} texts, {dimensions} numbers each: {output}".format(**report))
