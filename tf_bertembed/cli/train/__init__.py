"""`tf-bertembed train`: a task from data files, one command a kind."""

import typer

from tf_bertembed.cli.train.classification import classification
from tf_bertembed.cli.train.qa import qa
from tf_bertembed.cli.train.similarity import similarity
from tf_bertembed.cli.train.tagging import tagging

train = typer.Typer(
    name="train",
    help="Fine-tune a task on data files and write a RUN folder.",
    rich_markup_mode=None,
)

train.command()(classification)
train.command()(qa)
train.command()(similarity)
train.command()(tagging)
