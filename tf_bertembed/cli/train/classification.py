"""`tf-bertembed train classification`: classes for texts and pairs of texts."""

from typing import Annotated, Literal

from tf_bertembed.cli.train.options import option, train_command
from tf_bertembed.common import BertEmbedError


def _weights(given):
    if not given or given == ["balanced"]:
        return given[0] if given else None
    weights = {}
    for entry in given:
        name, separator, number = entry.rpartition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            separator = ""
        if not separator or not name:
            raise BertEmbedError(
                f"--class-weight must be 'balanced', or LABEL=NUMBER for each. Received: {entry!r}."
            )
    return weights


@train_command("classification")
def classification(
    pooling: Annotated[
        Literal["cls", "mean", "max"],
        option("--pooling", "What the head reads of a text."),
    ] = "cls",
    metric: Annotated[
        Literal["accuracy", "macro_f1", "mcc", "f1"],
        option("--metric", "By which the dev set chooses."),
    ] = "accuracy",
    class_weight: Annotated[
        list[str] | None,
        option(
            "--class-weight",
            "'balanced', or LABEL=NUMBER as often as needed; others weigh 1.",
        ),
    ] = None,
    threshold: Annotated[
        float,
        option(
            "--threshold",
            "For a column `labels`: the probability from which on a text has a label.",
        ),
    ] = 0.5,
):
    """Train a classifier.

    Data files are TSV, CSV or JSON lines with a column `text`, or `text_a` and `text_b`; and
    `label`, or `labels` for any number of them (`a|b`, in JSON lines a list).
    """
    recipe = {"metric": metric, "class_weight": _weights(class_weight)}
    return recipe, {"pooling": pooling, "threshold": threshold}
