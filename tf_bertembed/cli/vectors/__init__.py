"""`tf-bertembed vectors`: read, describe, convert, train and evaluate word vectors."""

import typer

from tf_bertembed.cli.vectors.convert import convert
from tf_bertembed.cli.vectors.evaluate import evaluate
from tf_bertembed.cli.vectors.info import info
from tf_bertembed.cli.vectors.train import train

vectors = typer.Typer(
    name="vectors",
    help="Work with word vectors of any format.",
    rich_markup_mode=None,
)

vectors.command()(info)
vectors.command()(convert)
vectors.command()(train)
vectors.command()(evaluate)
