"""`tf-bertembed vectors convert`: word vectors of any format into another."""

from typing import Annotated

import typer

from tf_bertembed.cli.options import Force, Json, Seed, output_as
from tf_bertembed.cli.vectors.options import (
    AllowPickle,
    Format,
    Limit,
    Output,
    SkipBadLines,
)


def convert(
    source: Annotated[
        str, typer.Argument(help="Word vectors of any format, or a name.", metavar="INPUT")
    ],
    output: Output,
    form: Format = None,
    limit: Limit = None,
    skip_bad_lines: SkipBadLines = False,
    allow_pickle: AllowPickle = False,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Write word vectors in another format, with the same numbers.

    The format that is read is found out. Nothing here is random: --seed
    changes nothing.
    """
    from tf_bertembed import vectors

    with output_as(as_json) as print_json:
        report = vectors.convert(
            source,
            output,
            form,
            limit=limit,
            skip_bad_lines=skip_bad_lines,
            allow_pickle=allow_pickle,
            overwrite=force,
        )
        if print_json:
            print_json(report)
        else:
            print(
                "{source} ({source_format}) -> {output} ({format}): {words:,} words, {width} "
                "numbers each".format(**report)
            )
