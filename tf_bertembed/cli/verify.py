"""`tf-bertembed verify`: does an exported model answer as it did in memory?"""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.options import Json, Seed, output_as


def verify(
    saved_model: Annotated[
        Path, typer.Argument(help="An exported model, NAME/VERSION.", metavar="SAVED_MODEL")
    ],
    seed: Seed = 0,
    as_json: Json = False,
):
    """Check an exported model against its records.

    Loads it as a server does, without Python's TensorFlow, and compares its
    answers with those that the model gave in memory. Ends with code 1
    where they differ. Nothing here is random: --seed changes nothing.
    """
    from tf_bertembed import export

    with output_as(as_json) as print_json:
        report = export.verify(saved_model)
        if print_json:
            print_json(report.to_dict())
        else:
            print(report)
    if not report.ok:
        raise typer.Exit(1)
