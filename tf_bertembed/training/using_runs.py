"""A trained RUN judged by a data file, and asked for its answers."""

import csv
import json
import sys
from pathlib import Path

from tf_bertembed.common import (
    BertEmbedError,
    OutputExistsError,
    atomic_path,
    progress,
    read_lines,
    require_file,
)
from tf_bertembed.tasks.checkpoint_parts import EXISTS, check_spared
from tf_bertembed.training.recipes import load_run
from tf_bertembed.training.undefined import without_nan

DELIMITERS = {".tsv": "\t", ".csv": ","}
TEXT_ENDINGS = (".txt", ".txt.gz")
STDIN = "-"
ROWS_AT_ONCE = 1024


def evaluate_run(run, data, errors=None, batch_size=32, overwrite=False):
    """Judge a trained task by a data file.

    Args:
        run: string or `pathlib.Path`. The RUN, of any kind of task.
        data: string or `pathlib.Path`. A data file as the task was trained on.
        errors: string or `pathlib.Path`. The table of wrong answers to write,
            worst first, `.tsv` or `.csv`; `None` for none.
        batch_size: int. Examples in a step.
        overwrite: bool. Whether to replace what stands at `errors`.

    Returns:
        A dict, ready for JSON: `task`, `run`, `data`, `rows`, `metrics` (a
        dict of floats, `None` for one that is no finite number), `details`
        (what the kind of task tells beyond them), and, where they were asked
        for, `wrong`, the number of wrong answers.

    Raises:
        MissingFileError: where the RUN or the data is missing.
        FileFormatError: where one of them is not what it should be.
        OutputExistsError: where `errors` is there and `overwrite` is False.
        BertEmbedError: where `errors` ends otherwise.

    Example:

    ```python
    from tf_bertembed import models, tasks, text, training

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "match", "chip"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=16)
    tasks.TextClassifier(backbone, ["sport", "tech"], preprocessor).save_to_preset("run")
    with open("test.tsv", "w") as file:
        file.write("text\\tlabel\\nA match.\\tsport\\nA chip.\\ttech\\n")
    report = training.evaluate_run("run", "test.tsv", errors="errors.tsv")
    assert 0 <= report["metrics"]["accuracy"] <= 1
    ```
    """
    if errors is not None:
        _check_output(errors, overwrite, (run, data))
        if Path(errors).suffix not in DELIMITERS:
            raise BertEmbedError(f"The errors go to a .tsv or a .csv. Received: {errors}.")
    recipe, task = load_run(run)
    examples = recipe.read(data)
    report = recipe.report(task, examples, errors=errors is not None, batch_size=batch_size)
    found = {
        "task": recipe.name,
        "run": str(run),
        "data": str(data),
        "rows": len(examples),
        "metrics": without_nan(report.metrics),
        "details": without_nan(report.details),
    }
    if errors is not None:
        _write_errors(report.errors, errors, overwrite)
        found |= {"wrong": len(report.errors), "errors": str(errors)}
    return found


def predict_file(run, source, output=None, batch_size=32, overwrite=False):
    """Answer the rows of a file, one JSON object a line.

    Args:
        run: string or `pathlib.Path`. The RUN, of any kind of task.
        source: string or `pathlib.Path`. A data file, with or without labels;
            a `.txt`, gzipped or not, of a text a line; or `"-"` for such
            lines from stdin.
        output: string or `pathlib.Path`. The file to write; `None` for stdout.
        batch_size: int. Examples in a step.
        overwrite: bool. Whether to replace what stands at `output`.

    Returns:
        A dict, ready for JSON: `task`, `run`, `rows` and `output`.

    Raises:
        MissingFileError: where the RUN or the file is missing.
        FileFormatError: where one of them is not what it should be.
        OutputExistsError: where `output` is there and `overwrite` is False.

    Example:

    ```python
    import json
    from pathlib import Path
    from tf_bertembed import models, tasks, text, training

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "match", "chip"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=16)
    tasks.TextClassifier(backbone, ["sport", "tech"], preprocessor).save_to_preset("run")
    Path("texts.txt").write_text("A match.\\nA chip.\\n")
    training.predict_file("run", "texts.txt", "answers.jsonl")
    answers = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert len(answers) == 2 and answers[0]["label"] in ("sport", "tech")
    ```
    """
    if output is not None:
        _check_output(output, overwrite, (run, source))
    recipe, task = load_run(run)
    examples = read_examples(recipe, source)

    def write(file):
        with progress("Answering", len(examples)) as advance:
            for first in range(0, len(examples), ROWS_AT_ONCE):
                part = examples.rows(range(first, min(first + ROWS_AT_ONCE, len(examples))))
                for answer in recipe.answers(task, part, batch_size):
                    file.write(json.dumps(answer, ensure_ascii=False) + "\n")
                advance(len(part))

    if output is None:
        write(sys.stdout)
    else:
        with (
            atomic_path(output, overwrite=overwrite, remedy=EXISTS) as place,
            open(place, "w", encoding="utf-8") as file,
        ):
            write(file)
    return {
        "task": recipe.name,
        "run": str(run),
        "rows": len(examples),
        "output": None if output is None else str(output),
    }


def read_examples(recipe, source):
    """Read what a task is to answer; `source` as for `predict_file`."""
    if str(source) == STDIN:
        lines = [line.rstrip("\r\n") for line in sys.stdin]
        if not lines:
            raise BertEmbedError("Texts were expected on stdin, one a line. Received: none.")
        return recipe.from_lines(lines)
    if str(source).lower().endswith(TEXT_ENDINGS):
        return recipe.from_lines([line for _, line in read_lines(source)], source)
    require_file(source)
    return recipe.read(source, labelled=False)


def _check_output(path, overwrite, sources):
    if Path(path).exists() and not overwrite:
        raise OutputExistsError(path, EXISTS)
    for source in sources:
        check_spared(source, path)
    if Path(path).is_dir():
        raise BertEmbedError(f"A file is to be written, and {path} is a folder.")


def _write_errors(rows, path, overwrite):
    with (
        atomic_path(path, overwrite=overwrite, remedy=EXISTS) as place,
        open(place, "w", encoding="utf-8", newline="") as file,
    ):
        delimiter = DELIMITERS[Path(path).suffix]
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        if rows:
            writer.writerow(rows[0])
        for row in rows:
            # A row is a line, whatever stands in the text.
            writer.writerow(" ".join(v.split()) if isinstance(v, str) else v for v in row.values())
