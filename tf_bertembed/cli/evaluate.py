"""`tf-bertembed evaluate`: the metrics of a RUN on a data file."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Json, Seed, output_as, shown


def evaluate(
    run: Annotated[Path, typer.Argument(help="A RUN that `train` made.", metavar="RUN")],
    data: Annotated[Path, typer.Option("--data", help="A data file with labels.")],
    errors: Annotated[
        Path | None,
        typer.Option("--errors", help="Write wrong answers, worst first: .tsv or .csv."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Examples in a step.")
    ] = 32,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what stands at --errors.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Judge a trained task by a data file.

    Nothing here is random: --seed changes nothing.
    """
    start_tensorflow()
    from tf_bertembed import training

    with output_as(as_json) as print_json:
        report = training.evaluate_run(run, data, errors, batch_size, overwrite=force)
        (print_json or _show)(report)


def _show(report):
    print("{task}, {rows} rows of {data}".format(**report))
    for name, value in report["metrics"].items():
        print(f"  {name:<12} {shown(value)}")
    if "errors" in report:
        print("  {wrong} wrong answers, worst first: {errors}".format(**report))
