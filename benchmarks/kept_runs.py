"""Runs that are kept in a CSV file as they finish, so that a script that was stopped goes on."""

import csv
import dataclasses
import json
import time


class KeptRuns:
    """What runs gave, measured once each.

    Args:
        path: `pathlib.Path`. The CSV file: a column for each field of a run, the CPU seconds
            that it took, and its result as JSON.
        kind: a frozen dataclass of strings, ints and floats. What tells runs apart.
        measure: function from a `kind` to a result that JSON can hold. `None` to read only.
    """

    def __init__(self, path, kind, measure=None):
        self.path = path
        self.measure = measure
        self.results = dict(_read(path, kind)) if path.exists() else {}

    def __call__(self, run):
        """The result of a run, which is measured where it was not yet."""
        if run not in self.results:
            start = time.process_time()
            result = self.measure(run)
            self.keep(run, result, time.process_time() - start)
        return self.results[run]

    def keep(self, run, result, seconds):
        """Add a result to the file."""
        told = json.dumps(result)
        self.results[run] = json.loads(told)
        row = dataclasses.asdict(run)
        row |= {"cpu_seconds": f"{seconds:.0f}", "result": told}
        fresh = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        print(*row.values(), flush=True)


def _read(path, kind):
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield (
                kind(**{name: read(row[name]) for name, read in types.items()}),
                json.loads(row["result"]),
            )
