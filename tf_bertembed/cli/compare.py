"""`tf-bertembed compare`: which features classify a user's texts best."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as


def compare(
    train: Annotated[
        Path,
        typer.Option("--train", help="TSV, CSV or JSON lines with `text` (or a pair) and `label`."),
    ],
    output: Annotated[
        Path, typer.Option("--output", help="The folder for the table, the plot and all figures.")
    ],
    test: Annotated[
        Path | None,
        typer.Option("--test", help="A file to judge by. By default folds of --train."),
    ] = None,
    vectors: Annotated[
        str, typer.Option("--vectors", help="A file of word vectors or a name.")
    ] = "glove-6b-50d",
    backbone: Annotated[
        str,
        typer.Option("--backbone", help="A RUN, an exported model, a checkpoint folder or a name."),
    ] = "all-minilm-l6-v2",
    run: Annotated[
        list[str] | None,
        typer.Option("--run", help="One more model to compare; may stand several times."),
    ] = None,
    sequence_length: Annotated[
        int | None,
        typer.Option("--sequence-length", min=3, help="The most pieces of a text for --backbone."),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Probe each layer of the backbone as well.")
    ] = False,
    budgets: Annotated[
        list[str] | None,
        typer.Option(
            "--budgets",
            help="Labels for each class to learn from, or all; several with commas between, "
            "or several times. By default 10,30,100,all.",
        ),
    ] = None,
    draws: Annotated[
        int,
        typer.Option("--draws", min=1, help="With --test: how often labels are drawn at a budget."),
    ] = 5,
    folds: Annotated[
        int, typer.Option("--folds", min=2, help="Without --test: stratified folds.")
    ] = 5,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, help="Without --test: how often folds are made anew.")
    ] = 2,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="A folder that keeps the vectors of texts. By default the name of --output with "
            "-cache at its end.",
        ),
    ] = None,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Compare word vectors, BERT and both on your own labels.

    Each, and TF-IDF, as features of a logistic regression. Tells which is
    best for the labels of --train, by how much, and whether that is more than
    noise.
    """
    start_tensorflow(streams=True)
    from tf_bertembed import probe
    from tf_bertembed.probe.comparison.findings import readable

    given = {} if budgets is None else {"budgets": ",".join(budgets).split(",")}
    with output_as(as_json) as print_json:
        report = probe.compare(
            train,
            output,
            test=test,
            vectors=vectors,
            backbone=backbone,
            runs=run or (),
            sequence_length=sequence_length,
            layers=layers,
            draws=draws,
            folds=folds,
            repeats=repeats,
            cache=cache,
            seed=seed,
            overwrite=force,
            **given,
        )
        if print_json:
            print_json(report)
        else:
            print("\n".join(readable(report)))
            print(f"\nTable, plot and all figures: {output}")
