"""`tf-bertembed export`: a trained RUN as a model that TensorFlow Serving loads."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Json, Seed, output_as
from tf_bertembed.common.places import LARGEST_NUMBER


def _show(path, told):
    print(f"{path}  {told['task']}, {told['bytes']['total'] / 1e6:.1f} MB, {told['precision']}")
    for name, signature in told["signatures"].items():
        print(f"  {name}: {', '.join(signature['inputs'])} -> {', '.join(signature['outputs'])}")
    if told["rounding"] is not None:
        print(f"  answers to the examples within {told['rounding']:.1e} of those of float32")
    if told["warmup"] is not None:
        print(f"  {told['warmup']['records']} requests for the server's warm-up")


def export(
    run: Annotated[Path, typer.Argument(help="A RUN that `train` made.", metavar="RUN")],
    output: Annotated[
        Path,
        typer.Option("--output", help="The folder of all versions, such as saved_models/NAME."),
    ],
    version: Annotated[
        int | None,
        typer.Option(
            "--version",
            min=1,
            max=LARGEST_NUMBER,
            help="By default the one after the highest there.",
        ),
    ] = None,
    precision: Annotated[
        Literal["float32", "bfloat16"],
        typer.Option(
            "--precision",
            help="How weights are stored; bfloat16 takes half the room. Answers are float32.",
        ),
    ] = "float32",
    examples: Annotated[
        Path | None,
        typer.Option(
            "--examples",
            help="A data file, or a .txt of a text a line, the first 64 rows of which are recorded "
            "for `verify`; by default texts of several languages.",
        ),
    ] = None,
    warmup: Annotated[
        bool,
        typer.Option(
            "--warm-up/--no-warm-up",
            help="Whether to write requests that TensorFlow Serving runs when it loads the model.",
        ),
    ] = True,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the version where it is there.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Export a RUN as NAME/VERSION, which takes strings.

    The version appears when it is complete, so that a server may watch the
    folder. Beside the model stand its metadata, examples with the answers to
    them (`tf-bertembed verify` compares), and requests for the server's
    warm-up. Nothing here is random: --seed changes nothing.
    """
    start_tensorflow()
    from tf_bertembed import export as exporting

    with output_as(as_json) as print_json:
        path = exporting.export_run(
            run,
            output,
            version=version,
            examples=examples,
            overwrite=force,
            precision=precision,
            warmup=warmup,
        )
        told = exporting.read_metadata(path)
        if print_json:
            print_json({"path": str(path), **told})
        else:
            _show(path, told)
