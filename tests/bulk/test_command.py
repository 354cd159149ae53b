import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tf_bertembed
from tf_bertembed.bulk.command import main

ROOT = Path(tf_bertembed.__file__).parent.parent


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "abc"}\n{"id": "b"}\n{"id": "c", "text": "four"}\n')
    return path


def test_a_result_and_the_code_of_failed_rows(rows, fragile_model, tmp_path, capsys):
    command = [str(rows), "--model", str(fragile_model), "--output", f"{tmp_path}/v"]
    assert main([*command, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["texts"], report["failed"]) == (2, 1)
    failed = json.loads(Path(report["failed_outputs"][0]).read_text(encoding="utf-8"))
    assert (failed["id"], failed["line"]) == ("b", 2)
    assert main(command) == 2
    assert "already exists" in capsys.readouterr().err
    rows.write_text('{"id": "a", "text": "abc"}\n')
    assert main([*command, "--force", "--output-format", "jsonl", "--text-column", "text"]) == 0
    told, path = capsys.readouterr().out.splitlines()
    assert told.startswith("1 texts, 2 numbers each; 0 failed; 3 bytes in 1 batches; ")
    assert path == f"{tmp_path}/v-00000-of-00001.jsonl"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model"),
        (["--model", "{model}"], "--output"),
        (["--model", "{model}", "--output", "{tmp}/v"], "An INPUT is missing"),
        (["in", "--model", "{model}", "--output", "{tmp}/v"], "in does not exist"),
        (["{in}", "--model", "{tmp}", "--output", "{tmp}/v"], "no saved_model.pb"),
        (["{in}", "--model", "no", "--output", "{tmp}/v"], "no does not exist"),
        (["{in}", "--model", "{model}", "--output", "{tmp}/v", "--no-such"], "option: --no-such"),
        (["{in}", "--model", "{model}", "--output", "{tmp}/v", "--streams", "0"], "`streams`"),
        (["{in}", "--model", "{model}", "--output", "{tmp}/v", "--streams", "x"], "--streams"),
        (
            ["--direct_num_workers", "x", "{in}", "--model", "{model}", "--output", "{tmp}/v"],
            "--direct_num_workers",
        ),
    ],
)
def test_bad_arguments_are_one_line(arguments, message, rows, fragile_model, tmp_path, capsys):
    places = {"model": fragile_model, "tmp": tmp_path, "in": rows}
    assert main([argument.format(**places) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


def test_an_option_of_beam_before_the_input(rows, fragile_model, tmp_path, capsys):
    command = ["--direct_num_workers", "1", str(rows), "--runner", "FnApiRunner"]
    assert main([*command, "--model", str(fragile_model), "--output", f"{tmp_path}/v"]) == 1
    assert capsys.readouterr().out.startswith("2 texts, 2 numbers each; 1 failed; ")


def _run(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_help_loads_neither_beam_nor_tensorflow():
    script = (
        "import sys\nfrom tf_bertembed.bulk.command import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'apache_beam', 'tensorflow', 'numpy'} & set(sys.modules)"
    )
    done = _run(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert "exit codes" in done.stdout


def test_without_beam_the_error_says_what_to_install():
    script = (
        "import sys\nsys.modules['apache_beam'] = None\n"
        "from tf_bertembed.bulk.command import main\n"
        "sys.exit(main(['in', '--model', 'm', '--output', 'o']))"
    )
    done = _run(script)
    assert done.returncode == 2
    assert "pip install 'tf-bertembed[beam]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [[], ["--direct_num_workers", "2", "--direct_running_mode", "multi_processing"]],
    ids=["one process", "two processes"],
)
def test_the_command_says_nothing_but_the_result(options, saved_model, texts, tmp_path):
    lines = [one.replace("\x00", "") for one in texts]
    (tmp_path / "in.txt").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tf_bertembed.bulk", str(tmp_path / "in.txt")),
            *("--model", str(saved_model), "--output", f"{tmp_path}/v", *options),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(texts)} texts, 8 numbers each; 0 failed; ")
    assert len(done.stdout.splitlines()) == (3 if options else 2)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupt_is_one_line_and_writes_nothing(processes, saved_model, tmp_path):
    (tmp_path / "in.txt").write_text("a text that takes its time\n" * 1_000_000)
    output = tmp_path / "out"
    workers = ["--direct_num_workers", "2", "--direct_running_mode", "multi_processing"]
    # A shell that runs pytest in the background has it ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tf_bertembed.bulk", str(tmp_path / "in.txt")),
            *("--model", str(saved_model), "--output", f"{output}/v"),
            *(workers if processes == 2 else []),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    # Beam writes there from the pipeline's first moment on.
    while process.poll() is None and not list(output.glob("beam-temp-*")):
        time.sleep(0.1)
    time.sleep(10)
    # As a terminal does, to all processes of the command.
    os.killpg(process.pid, signal.SIGINT)
    shown, error = process.communicate(timeout=100)
    assert (process.returncode, shown, error) == (130, "", "error: interrupted.\n")
    assert not list(output.iterdir())


@pytest.mark.slow
def test_a_pipeline_that_fails_writes_nothing(saved_model, rows, tmp_path):
    # The graph is there and its weights are not: each worker fails to load it.
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes((saved_model / "saved_model.pb").read_bytes())
    output = tmp_path / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tf_bertembed.bulk", str(rows)),
            *("--model", str(broken), "--output", f"{output}/v"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 3
    assert re.fullmatch(r"error: The pipeline failed: .*broken: The model cannot .*\n", done.stderr)
    assert not output.exists() or not list(output.iterdir())
