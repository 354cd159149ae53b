"""`tf-bertembed train similarity`: vectors of texts that lie as near as their meanings."""

from typing import Annotated, Literal

from tf_bertembed.cli.train.options import option, train_command


@train_command("similarity")
def similarity(
    objective: Annotated[
        Literal["cosine", "ranking", "softmax"] | None,
        option(
            "--objective",
            "What is learned: scores as cosines, to find the other text of a row among those of "
            "a batch, or labels. By default what suits the columns.",
        ),
    ] = None,
    pooling: Annotated[
        Literal["mean", "max", "cls", "sif"],
        option("--pooling", "How a text's pieces become one vector."),
    ] = "mean",
    normalize: Annotated[
        bool, option("--normalize/--no-normalize", "Whether vectors have length 1.")
    ] = False,
    metric: Annotated[
        Literal[
            "spearman",
            "pearson",
            "accuracy",
            "macro_f1",
            "mrr",
            "recall_at_1",
            "recall_at_5",
            "recall_at_10",
        ]
        | None,
        option(
            "--metric",
            "By which the dev set chooses. By default spearman, accuracy or mrr, by the columns.",
        ),
    ] = None,
    score_range: Annotated[
        tuple[float, float] | None,
        option(
            "--score-range",
            "The scores that stand for cosines 0 and 1. By default 0 1, or 0 5 where some are "
            "larger.",
        ),
    ] = None,
    scale: Annotated[
        float, option("--scale", "For ranking: what cosines are multiplied by.", min=0)
    ] = 20.0,
    symmetric: Annotated[
        bool,
        option(
            "--symmetric/--no-symmetric",
            "For ranking: whether second texts must find their first ones too.",
        ),
    ] = False,
):
    """Train an encoder of single texts on pairs of them.

    Data files are TSV, CSV or JSON lines with the columns `text_a` and `text_b`; and `score`,
    `label`, or neither where the two texts of each row belong together.
    """
    task = {
        "pooling": pooling,
        "normalize": normalize,
        "scale": scale,
        "symmetric": symmetric,
    }
    if score_range is not None:
        task["score_range"] = score_range
    return {"objective": objective, "metric": metric}, task
