"""`tf-bertembed vectors info`: what a file of word vectors holds."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.options import Json, Seed, output_as
from tf_bertembed.cli.vectors.options import AllowPickle, Limit, SkipBadLines


def info(
    source: Annotated[
        str, typer.Argument(help="Word vectors of any format, or a name.", metavar="VECTORS")
    ],
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocabulary", help="A vocab.txt: also show how well the vectors fit it."),
    ] = None,
    limit: Limit = None,
    skip_bad_lines: SkipBadLines = False,
    allow_pickle: AllowPickle = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Show the format, size, lengths and first words of word vectors.

    With a vocabulary, also by which way its pieces get their vectors. --seed
    draws the vectors of pieces that get none, which changes no number here.
    """
    from tf_bertembed import text, vectors

    with output_as(as_json) as print_json:
        pieces = None if vocabulary is None else text.load_vocabulary(vocabulary)
        description = vectors.describe(
            source,
            vocabulary=pieces,
            limit=limit,
            skip_bad_lines=skip_bad_lines,
            allow_pickle=allow_pickle,
            seed=seed,
        )
        if print_json:
            print_json(description.to_dict())
        else:
            print(description)
