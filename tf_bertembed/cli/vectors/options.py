"""Options that the commands about word vectors share."""

from typing import Annotated

import typer

Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Read only the first so many words.")
]
SkipBadLines = Annotated[
    bool,
    typer.Option(
        "--skip-bad-lines", help="Go on past lines and words that cannot be read, and count them."
    ),
]
AllowPickle = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Read gensim's own format, a pickle, which can run any code: only from sources that "
        "you trust.",
    ),
]
