"""`tf-bertembed quickstart`: the main job on real data, end to end."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Json, Seed, output_as


def quickstart(
    output: Annotated[
        Path, typer.Option("--output", help="Folder for everything that it makes.")
    ] = Path("."),
    fast: Annotated[
        bool, typer.Option("--fast", help="The same road in smaller steps, in under two minutes.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Walk the whole road on real data.

    Learns a vocabulary, pretrains with and without word vectors, fine-tunes,
    probes, exports and verifies; ends with a table and plots.
    """
    from tf_bertembed.quickstart import run

    start_tensorflow()
    with output_as(as_json) as print_json:
        results = run(output=output, fast=fast, seed=seed)
        if print_json:
            print_json(results)
    if not results["export"]["ok"]:
        raise typer.Exit(1)
