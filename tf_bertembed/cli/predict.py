"""`tf-bertembed predict`: the answers of a RUN, one JSON object a line."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as
from tf_bertembed.common import BertEmbedError


def predict(
    run: Annotated[Path, typer.Argument(help="A RUN that `train` made.", metavar="RUN")],
    source: Annotated[
        str,
        typer.Argument(
            help="A data file, with or without labels; a .txt of a text a line; - for such lines "
            "from stdin.",
            metavar="INPUT",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write; by default stdout.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Examples in a step.")
    ] = 32,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Answer each row of a file, one JSON object a line.

    With --json the answers go to --output and a summary to stdout. Nothing here is random: --seed
    changes nothing.
    """
    if as_json and output is None:
        raise BertEmbedError("--json prints a summary: give --output for the answers.")
    start_tensorflow()
    from tf_bertembed import training

    with output_as(as_json) as print_json:
        report = training.predict_file(run, source, output, batch_size, overwrite=force)
        if print_json:
            print_json(report)
        elif output is not None:
            print("{task}, {rows} rows: {output}".format(**report))
