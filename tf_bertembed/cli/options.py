"""Options that every command takes, under one name and with one meaning."""

import contextlib
import json
import sys
from typing import Annotated

import typer

Force = Annotated[bool, typer.Option("--force", help="Replace what stands at --output.")]
Head = Annotated[
    bool, typer.Option("--head/--no-head", help="Whether to keep the head, or the encoder alone.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything that is random.")]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON on stdout, all else on stderr."),
]


@contextlib.contextmanager
def output_as(as_json):
    """Keep stdout for one JSON document where `--json` was given.

    Args:
        as_json: bool. The value of `--json`.

    Yields:
        A function that takes the result and prints it as JSON; `None` where
        `as_json` is False, and stdout is then left alone.
    """
    if not as_json:
        yield None
        return
    stdout = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        yield lambda result: print(
            json.dumps(result, indent=2, ensure_ascii=False), file=stdout, flush=True
        )


def shown(value):
    """A metric to be read: four decimals, or that the data leave it undefined."""
    return "undefined" if value is None else f"{value:.4f}"
