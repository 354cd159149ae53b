"""`tf-bertembed verify`: can a server take an exported model, and does it answer as in memory?"""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.options import Json, Seed, output_as


def verify(
    saved_model: Annotated[
        Path, typer.Argument(help="An exported model, NAME/VERSION.", metavar="SAVED_MODEL")
    ],
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance",
            min=0.0,
            help="The largest difference that passes, over an output's largest magnitude.",
        ),
    ] = 1e-5,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Check whether an exported model is ready to be served.

    Loads it as a server does, without Python's TensorFlow; compares its
    answers with those that the model gave in memory; runs its warm-up; holds
    its ops and signatures to what TensorFlow Serving 2.19 and 2.20 take. The
    last line is `ready` or `not ready`, and the exit code 0 or 1; 2 says that
    there is no exported model to look at. Nothing here is random: --seed
    changes nothing.
    """
    from tf_bertembed import export

    with output_as(as_json) as print_json:
        report = export.verify(saved_model, tolerance=tolerance)
        if print_json:
            print_json(report.to_dict())
        else:
            print(report)
    if not report.ok:
        raise typer.Exit(1)
