"""`tf-bertembed vectors train`: word vectors from text files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as
from tf_bertembed.cli.vectors.options import Format, Output

GLOVE, SVD, GENSIM = "glove", "one-hot-svd", "word2vec, fasttext"


def train(
    corpora: Annotated[
        list[Path],
        typer.Argument(help="UTF-8 text, a text a line; may be gzipped.", metavar="CORPUS…"),
    ],
    algorithm: Annotated[
        Literal["word2vec", "fasttext", "glove", "one-hot-svd"],
        typer.Option("--algorithm", help="How to learn."),
    ],
    output: Output,
    form: Format = None,
    segmenter: Annotated[
        str | None,
        typer.Option(
            "--segmenter",
            help="How lines are cut into words: spaces (default), characters (Chinese ones each "
            "alone), jieba (Chinese words), or MODULE:FUNCTION, which is imported and run.",
        ),
    ] = None,
    lowercase: Annotated[
        bool | None, typer.Option("--lowercase", help="Lower-case the text first.")
    ] = None,
    vector_size: Annotated[
        int | None, typer.Option("--vector-size", help="By default 100; glove: 50.")
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            "--window", help=f"Neighbours to each side. By default 5; {GLOVE}, {SVD}: 15."
        ),
    ] = None,
    min_count: Annotated[
        int | None, typer.Option("--min-count", help="Leave out rarer words. By default 5.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help=f"{GENSIM}: 5; {GLOVE}: 25.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", help=f"{GENSIM}: 0.025; {GLOVE}: 0.05.")
    ] = None,
    skip_gram: Annotated[
        bool | None,
        typer.Option("--skip-gram/--cbow", help=f"{GENSIM}: what is predicted. By default --cbow."),
    ] = None,
    negative: Annotated[
        int | None,
        typer.Option("--negative", help=f"{GENSIM}: random words to tell a neighbour from. 5."),
    ] = None,
    min_n: Annotated[
        int | None, typer.Option("--min-n", help="fasttext: the shortest n-grams. 3.")
    ] = None,
    max_n: Annotated[
        int | None, typer.Option("--max-n", help="fasttext: the longest n-grams. 6.")
    ] = None,
    buckets: Annotated[
        int | None,
        typer.Option("--buckets", help="fasttext: vectors that all n-grams share. 2,000,000."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", help=f"{GENSIM}: threads. By default 1; only then --seed decides all."
        ),
    ] = None,
    x_max: Annotated[
        float | None,
        typer.Option(
            "--x-max", help=f"{GLOVE}: from how many on a co-occurrence has full weight. 100."
        ),
    ] = None,
    alpha: Annotated[
        float | None, typer.Option("--alpha", help=f"{GLOVE}: how the weight of fewer falls. 0.75.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", help=f"{GLOVE}: co-occurrences in a step, at most 16,384."),
    ] = None,
    smoothing: Annotated[
        float | None,
        typer.Option("--smoothing", help=f"{SVD}: power of the counts of neighbours. 0.75."),
    ] = None,
    power: Annotated[
        float | None,
        typer.Option("--power", help=f"{SVD}: how much directions keep of their strength. 0.5."),
    ] = None,
    symmetric: Annotated[
        bool | None,
        typer.Option(
            "--symmetric/--no-symmetric",
            help=f"{GLOVE}, {SVD}: whether words to the right are neighbours too. By default yes.",
        ),
    ] = None,
    distance_weighting: Annotated[
        bool | None,
        typer.Option(
            "--distance-weighting/--no-distance-weighting",
            help=f"{GLOVE}, {SVD}: whether far neighbours count less. By default yes.",
        ),
    ] = None,
    memory_mib: Annotated[
        int | None,
        typer.Option(
            "--memory-mib",
            help=f"{GLOVE}, {SVD}: memory for counting; the rest waits on disk. 1024.",
        ),
    ] = None,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Learn word vectors from text.

    word2vec and fasttext by gensim, glove by TensorFlow as Stanford's program
    does, one-hot-svd by counting neighbours (positive PMI, truncated SVD).
    The most frequent word comes first. The same --seed gives the same vectors.
    """
    from tf_bertembed import training

    given = {
        "segmenter": segmenter,
        "lowercase": lowercase,
        "vector_size": vector_size,
        "window": window,
        "min_count": min_count,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "skip_gram": skip_gram,
        "negative": negative,
        "min_n": min_n,
        "max_n": max_n,
        "buckets": buckets,
        "workers": workers,
        "x_max": x_max,
        "alpha": alpha,
        "batch_size": batch_size,
        "smoothing": smoothing,
        "power": power,
        "symmetric": symmetric,
        "distance_weighting": distance_weighting,
        "memory_mib": memory_mib,
    }
    if algorithm == "glove":
        start_tensorflow()
    with output_as(as_json) as print_json:
        report = training.train_vectors(
            corpora,
            output,
            algorithm,
            format=form,
            overwrite=force,
            seed=seed,
            **{name: value for name, value in given.items() if value is not None},
        )
        (print_json or _show)(report)


def _show(report):
    print(
        "{words:,} words, {vector_size} numbers each, from {tokens:,} words of text: {output} "
        "({format})".format(**report)
    )
    if "cooccurrences" in report:
        told = f", {report['spills']} times to disk" if report["spills"] else ""
        print(
            f"  {report['cooccurrences']:,} pairs of words that meet, counted in "
            f"{report['counting_seconds']:.1f} s{told}"
        )
    if "loss" in report:
        print(f"  loss by epoch: {' '.join(f'{loss:.4f}' for loss in report['loss'])}")
    epochs = f"{report['epochs']} epochs in " if "epochs" in report else "condensed in "
    speed = ""
    if "updates_per_second" in report:
        speed = f", {report['updates_per_second'] / 1e6:.2f} million updates a second"
    elif "tokens_per_second" in report:
        speed = f", {report['tokens_per_second']:,.0f} words a second"
    print(f"  {epochs}{report['seconds']:.1f} s{speed}")
