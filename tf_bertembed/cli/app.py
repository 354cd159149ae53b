"""The commands put together, and what every one of them does with an error."""

import errno
import re
import sys
import traceback
import warnings
from typing import Annotated

import typer

from tf_bertembed import __version__
from tf_bertembed.cli.checkpoint import checkpoint
from tf_bertembed.cli.compare import compare
from tf_bertembed.cli.embed import embed
from tf_bertembed.cli.evaluate import evaluate
from tf_bertembed.cli.export import export
from tf_bertembed.cli.predict import predict
from tf_bertembed.cli.quickstart import quickstart
from tf_bertembed.cli.search import search
from tf_bertembed.cli.serve import serve
from tf_bertembed.cli.train import train
from tf_bertembed.cli.vectors import vectors
from tf_bertembed.cli.verify import verify
from tf_bertembed.common import BertEmbedError

USAGE_ERROR = 2
FAULT = 3
INTERRUPTED = 130
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

# Faults of the machine or of a path that was given, which no traceback would explain better.
ENVIRONMENT_FAULTS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EIO,
    errno.EISDIR,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}

app = typer.Typer(
    name="tf-bertembed",
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: importing rich would take longer than all the rest of `--help`.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool):
    if wanted:
        typer.echo(f"tf-bertembed {__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
):
    """BERT and static word vectors together, for Keras and TensorFlow Serving."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE_ERROR)


app.command()(quickstart)
app.command()(evaluate)
app.command()(predict)
app.command()(embed)
app.command()(search)
app.command()(compare)
app.command()(export)
app.command()(verify)
app.command()(serve)
app.add_typer(checkpoint)
app.add_typer(train)
app.add_typer(vectors)


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"warning: {_one_line(message)}", file=file or sys.stderr)


def _one_line(message):
    # A file may have put control characters into it, which would play on a terminal.
    return CONTROLS.sub(" ", str(message))


def _fail(message, code=USAGE_ERROR):
    print(f"error: {_one_line(message)}", file=sys.stderr)
    return code


def _show_fault(error):
    # TensorFlow's own, which nothing here imports.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return _fail(f"Out of memory: smaller batches or shorter texts take less. {error}")
    traceback.print_exc()
    return _fail(f"Unexpected {type(error).__name__}: please report the traceback above.", FAULT)


def _usage_message(error):
    context = getattr(error, "ctx", None)
    command = context.command_path if context else app.info.name
    return f"{error.format_message().rstrip('.')}. Try: {command} --help"


def main(arguments=None):
    """Run the command line.

    Args:
        arguments: list of strings. The arguments after the program's name;
            those of this process by default.

    Returns:
        An int, the exit code: 0 where all went well, 1 where a check that the
        command makes did not hold, 2 for an error that the input causes
        (printed to stderr as one line), 3 for a fault of the program (a
        traceback), 130 where the user interrupted it.

    Example:

    ```python
    from tf_bertembed import cli

    assert cli.main(["--version"]) == 0
    assert cli.main(["no-such-command"]) == 2
    ```
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = app(arguments, prog_name=app.info.name, standalone_mode=False)
        except BertEmbedError as error:
            return _fail(error)
        except KeyboardInterrupt:
            return _fail("interrupted.", INTERRUPTED)
        except OSError as error:
            if error.errno not in ENVIRONMENT_FAULTS:
                return _show_fault(error)
            return _fail(f"{error.filename}: {error.strerror}" if error.filename else error)
        except Exception as error:
            # A usage error; its class moved from click into typer between releases.
            if not hasattr(error, "format_message"):
                return _show_fault(error)
            return _fail(_usage_message(error))
    if code == INTERRUPTED:
        return _fail("interrupted.", INTERRUPTED)
    return code if isinstance(code, int) else 0
