"""`tf-bertembed train tagging`: labels on words."""

from typing import Annotated, Literal

from tf_bertembed.cli.train.options import option, train_command


@train_command("tagging")
def tagging(
    split: Annotated[
        Literal["whitespace", "punctuation", "characters"] | None,
        option(
            "--split",
            "How the trained task cuts a text into words. By default as those of --train look.",
        ),
    ] = None,
    overlap: Annotated[
        int | None,
        option(
            "--overlap",
            "Pieces that the windows over a long text share. By default a quarter of them.",
            min=0,
        ),
    ] = None,
    column: Annotated[
        Literal["upos", "xpos"] | None,
        option("--column", "The tags of a .conllu file. By default upos."),
    ] = None,
    metric: Annotated[
        Literal["f1", "precision", "recall", "accuracy", "macro_f1"] | None,
        option(
            "--metric",
            "By which the dev set chooses. By default f1 for entities, accuracy for other tags.",
        ),
    ] = None,
):
    """Train a tagger: named entities, parts of speech.

    Data files are CoNLL, a word and its tag a line (the last column), with a blank line between
    sentences; or CoNLL-U (.conllu). Tags of entities follow IOB1, IOB2, BIOES, BMES or BILOU.
    """
    options = {"split": split, "overlap": overlap}
    given = {name: value for name, value in options.items() if value is not None}
    return {"metric": metric, "column": column}, given
