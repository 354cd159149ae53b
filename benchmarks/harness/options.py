"""The options that every benchmark takes."""

import argparse
import os
from pathlib import Path

from harness.contenders import REPOSITORY

OUTPUT = REPOSITORY / "build" / "bench"


def _pair(text):
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"NAME=VALUE was expected. Received: {text!r}.")
    return name, value


def _rounds(text):
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1 was expected. Received: {text!r}.")
    return number


def add_shared(parser):
    """Add the options that `run_all.py` hands on."""
    parser.add_argument("--rounds", type=_rounds, help="how often each contender runs")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("TF_BERTEMBED_DATA"),
        help="folder of data sets (default: the environment variable TF_BERTEMBED_DATA)",
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="folder for tables and plots (build/bench)"
    )
    parser.add_argument(
        "--python",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="use this interpreter as the environment of that name",
    )
    parser.add_argument(
        "--set",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an environment variable for all contenders",
    )


def parse(description, contenders, rounds, arguments=None, extend=None):
    """Read the command line of one benchmark.

    Args:
        description: string. The module's docstring.
        contenders: list of `Contender` that may be asked for.
        rounds: int. The default.
        arguments: list of strings; `None` for the command line's own.
        extend: function that adds options to the parser.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [contender.name for contender in contenders]
    parser.add_argument(
        "--contenders",
        nargs="+",
        metavar="NAME",
        help="only these: " + ", ".join(map(repr, names)),
    )
    add_shared(parser)
    if extend:
        extend(parser)
    parser.set_defaults(rounds=rounds)
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.contenders or ()) - set(names))
    if unknown:
        parser.error(f"--contenders takes {names}. Received: {unknown}.")
    if options.data is not None:
        options.data = Path(options.data)
        if not options.data.is_dir():
            parser.error(f"--data must be a folder. Received: {options.data}.")
    options.python, options.set = dict(options.python), dict(options.set)
    options.chosen = [
        c for c in contenders if not options.contenders or c.name in options.contenders
    ]
    return options
