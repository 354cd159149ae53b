"""Every task next to Hugging Face's PyTorch classes, and with word vectors next to without.

Both sides get the same rows, weights and settings, three seeds each; the turns alternate. What has
finished is kept in OUTPUT/cells.csv, and a script that was stopped goes on. The tables are written
to OUTPUT/table.csv and, for few labels and small models, OUTPUT/fusion.csv.

    python benchmarks/task_table.py --data ../shared/data --output build/task_table
"""

import argparse
import contextlib
import dataclasses
import json
from pathlib import Path

from harness import contenders, environments
from kept_runs import KeptRuns
from side_by_side import report
from side_by_side.data import rows_of
from side_by_side.plan import FORMS, OURS, SETTINGS, THEIRS, Cell, epochs
from side_by_side.scores import score
from side_by_side.starts import start_of, vector_source

WORKERS = {
    OURS: ("side_by_side.bertembed", "project"),
    THEIRS: ("side_by_side.huggingface", "pytorch"),
}
# glibc gives freed memory back at every step; the command line sets the same.
MEMORY = {"MALLOC_TOP_PAD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "33554432"}


class Worker:
    """A side's process, which may run several cells.

    Args:
        side: string. `OURS` or `THEIRS`.
        pythons: dict. Interpreters by name of environment.
        log: `pathlib.Path`. Where its messages go.
    """

    def __init__(self, side, pythons, log):
        module, environment = WORKERS[side]
        python = environments.interpreter(environment, pythons)
        self.process = contenders.start(module, environment, python, log, MEMORY, text=True)
        self.log = log

    def __call__(self, request):
        """Run one cell."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
            raise RuntimeError(f"The worker ended:\n{tail}\n(all of it in {self.log})")
        return json.loads(line)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Table:
    """Measures cells."""

    def __init__(self, arguments):
        self.data, self.output = arguments.data, arguments.output
        self.pythons = dict(pair.split("=", 1) for pair in arguments.python)
        self.worker = None

    def measure(self, cell):
        """The score of a cell and the seconds of its training."""
        rows = rows_of(cell, self.data)
        setting = cell.setting

        def all_rows():
            return rows_of(dataclasses.replace(cell, per_class=0), self.data)["train"]

        request = {
            **rows,
            "setting": {
                **dataclasses.asdict(setting),
                "epochs": epochs(setting, len(rows["train"]), cell.per_class),
            },
            "weights": str(start_of(cell, all_rows, self.data, self.output.resolve() / "weights")),
            "vectors": str(vector_source(setting, self.data.resolve())),
            "form": FORMS[cell.form],
            "seed": cell.seed,
        }
        answer = self.worker(request)
        found = score(setting.kind, setting.metric, rows["test"], answer["predictions"])
        return {
            "score": round(found, 4),
            "seconds": round(answer["seconds"], 1),
            "cpu_seconds": round(answer["cpu_seconds"], 1),
        }

    @contextlib.contextmanager
    def of(self, side):
        """A process of that side for some cells."""
        self.worker = Worker(side, self.pythons, self.output / f"{WORKERS[side][1]}.log")
        try:
            yield
        finally:
            self.worker.close()


def groups(arguments):
    """The cells, in groups that share a process; sides alternate within a data set and seed."""
    # Seeds outermost: a table that was stopped early has every task.
    for seed in range(arguments.seeds):
        for name in arguments.tasks:
            weights = SETTINGS[name].weights
            turns = [
                [Cell(name, weights, 0, OURS, form, seed) for form in arguments.forms],
                [Cell(name, weights, 0, THEIRS, "none", seed)],
            ]
            yield from turns if seed % 2 else turns[::-1]
    for name in arguments.small:
        for per_class in arguments.per_class:
            for weights in (SETTINGS[name].weights, "cold"):
                if (per_class, weights) == (0, SETTINGS[name].weights):
                    continue
                for seed in range(arguments.seeds):
                    yield [
                        Cell(name, weights, per_class, OURS, form, seed) for form in arguments.forms
                    ]


def main():
    """Run what is not there yet; print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of development data")
    parser.add_argument("--output", type=Path, required=True, help="folder for cells and tables")
    parser.add_argument("--tasks", nargs="*", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--forms", nargs="+", choices=list(FORMS), default=["none", "input gate"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--small", nargs="*", default=["sst2", "trec", "chnsenticorp"])
    parser.add_argument("--per-class", type=int, nargs="*", default=[0, 10, 100])
    parser.add_argument(
        "--python", nargs="*", default=[], metavar="NAME=PATH", help="pytorch=… or project=…"
    )
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = Table(arguments)
    kept = KeptRuns(arguments.output / "cells.csv", Cell, table.measure)
    for group in groups(arguments):
        missing = [cell for cell in group if cell not in kept.results]
        if missing:
            with table.of(group[0].side):
                for cell in missing:
                    kept(cell)
    report.write(kept.results, arguments.output)


if __name__ == "__main__":
    main()
