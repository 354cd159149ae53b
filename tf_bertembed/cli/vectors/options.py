"""Options that the commands about word vectors share."""

from pathlib import Path
from typing import Annotated, Literal

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
Output = Annotated[Path, typer.Option("--output", help="The file or folder to make.")]
Format = Annotated[
    Literal[
        "glove",
        "word2vec",
        "word2vec-binary",
        "fasttext",
        "fasttext-binary",
        "folder",
        "safetensors",
        "gensim",
    ]
    | None,
    typer.Option(
        "--format",
        help="By default as --output ends: .txt (GloVe), .vec, .bin, .safetensors, .kv, or no "
        "ending for a folder, which opens fastest. A .vec and a .txt do not keep fastText's "
        "n-grams.",
    ),
]
