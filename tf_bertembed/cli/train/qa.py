"""`tf-bertembed train qa`: answers as parts of texts."""

from typing import Annotated, Literal

from tf_bertembed.cli.train.options import option, train_command


@train_command("qa")
def qa(
    stride: Annotated[
        int | None,
        option(
            "--stride",
            "Pieces from the beginning of a window over a long context to that of the next. By "
            "default a third of --sequence-length.",
            min=1,
        ),
    ] = None,
    max_question_pieces: Annotated[
        int, option("--max-question-pieces", "Questions are cut after so many pieces.", min=1)
    ] = 64,
    max_answer_length: Annotated[
        int, option("--max-answer-length", "The most pieces of an answer.", min=1)
    ] = 30,
    n_best: Annotated[int, option("--n-best", "How many answers to tell.", min=1)] = 5,
    null_threshold: Annotated[
        float | None,
        option(
            "--null-threshold",
            "How far the logit of no answer must be above that of the best one. By default what "
            "is best on --dev, where some questions have no answer.",
        ),
    ] = None,
    language: Annotated[
        Literal["en", "zh"] | None,
        option(
            "--language",
            "How answers are compared: by words without articles, or by Chinese characters. By "
            "default as the contexts look.",
        ),
    ] = None,
    metric: Annotated[
        Literal["f1", "exact_match"], option("--metric", "By which the dev set chooses.")
    ] = "f1",
):
    """Train a task that answers questions with parts of their contexts.

    Data files are JSON in the format of SQuAD 1.1 or 2.0.
    """
    recipe = {"metric": metric, "null_threshold": null_threshold, "language": language}
    return recipe, {
        "stride": stride,
        "max_question_pieces": max_question_pieces,
        "max_answer_length": max_answer_length,
        "n_best": n_best,
    }
