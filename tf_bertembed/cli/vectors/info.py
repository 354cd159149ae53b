"""`tf-bertembed vectors info`: what a file of word vectors holds."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Json, Seed, output_as
from tf_bertembed.cli.vectors.options import AllowPickle, Limit, SkipBadLines


def info(
    source: Annotated[
        str, typer.Argument(help="Word vectors of any format, or a name.", metavar="VECTORS")
    ],
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocabulary", help="A vocab.txt: also show how well the vectors fit it."),
    ] = None,
    compose: Annotated[
        Literal[
            "words-rescaled",
            "words",
            "ngrams",
            "least-squares",
            "least-squares-free",
            "neighbours",
        ]
        | None,
        typer.Option(
            "--compose",
            help="What the pieces that are no word are made of. By default words-rescaled.",
        ),
    ] = None,
    corpus: Annotated[
        list[Path] | None,
        typer.Option(
            "--corpus",
            help="Text that pieces are counted in, and that `neighbours` looks for them in. May be "
            "given again.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the shares, .png, .pdf or .svg.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at --plot.")] = False,
    limit: Limit = None,
    skip_bad_lines: SkipBadLines = False,
    allow_pickle: AllowPickle = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Show the format, size, lengths and first words of word vectors.

    With a vocabulary, also by which way its pieces get their vectors; with a
    corpus, which share of its pieces each way has. --seed draws the vectors of
    pieces that get none, which changes no number here.
    """
    from tf_bertembed import common, text, vectors

    if vocabulary is None and (corpus or plot or compose):
        raise common.BertEmbedError("--compose, --corpus and --plot need --vocabulary.")
    with output_as(as_json) as print_json:
        pieces = None if vocabulary is None else text.load_vocabulary(vocabulary)
        occurrences = None
        if corpus:
            start_tensorflow()
            occurrences = text.count_occurrences(corpus, pieces)
        description = vectors.describe(
            source,
            vocabulary=pieces,
            **({"compose": compose} if compose else {}),
            corpus=corpus or None,
            occurrences=occurrences,
            limit=limit,
            skip_bad_lines=skip_bad_lines,
            allow_pickle=allow_pickle,
            seed=seed,
        )
        if plot is not None:
            description.coverage.plot(plot, overwrite=force)
        if print_json:
            print_json(description.to_dict())
        else:
            print(description)
