"""One benchmark: contenders start, warm up, take turns, and are compared."""

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from harness import environments, machine, report, rounds
from harness.contenders import Running

SIMILARITY = 0.99999


class Benchmark:
    """A question and its contenders.

    Args:
        name: string. The name of the result's files.
        question: string. The table's heading.
        options: what `options.parse` answered.
        workload: string, `module:function`. Called in the contender's process with what the
            contender loaded and `inputs`; gives a function that runs once and answers
            `({"seconds": …, other measures}, result)`, where the result is an array or `None`.
        inputs: dict. JSON values; large ones belong into a file.
        base: string. The contender whose ratio is 1.
        goals: list of `Goal`.
        reference: string. The contender whose result others are compared with; `None` for none.
        warm_up: int. Untimed runs at the start.
        notes: dict. What the table says about the workload.
    """

    def __init__(
        self,
        name,
        question,
        options,
        workload,
        inputs,
        base,
        goals=(),
        reference=None,
        warm_up=1,
        notes=None,
    ):
        self.name, self.question, self.options = name, question, options
        self.workload, self.inputs, self.base = workload, inputs, base
        self.goals, self.reference, self.warm_up = list(goals), reference, warm_up
        self.notes = notes or {}
        self.measured = {contender.name: {} for contender in options.chosen}
        self.about = {contender.name: {} for contender in options.chosen}
        self._before = machine.describe()

    def run(self):
        """Run all rounds, write the table, the data and the plot.

        Returns:
            The result, as it is written to `NAME.json`.
        """
        self.options.output.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._stack = stack
            self._play()
            similarity = self._similarity()
        return self._write(similarity)

    def _start(self, contender):
        python = environments.interpreter(contender.environment, self.options.python)
        log = self.options.output / "logs" / f"{self.name}.{_slug(contender.name)}.log"
        log.parent.mkdir(exist_ok=True)
        running = Running(contender, python, self.workload, self.inputs, self.options.set, log)
        self._stack.callback(running.close)
        self.about[contender.name].update(running.about)
        return running

    def _play(self):
        waiting = {}
        for contender in self.options.chosen:
            _say(f"{self.name}: {contender.name} loads and warms up")
            if contender.fresh:
                # Once untimed, so that its files are in memory for every turn alike.
                self._turn(contender, None)
                self.measured[contender.name].clear()
                continue
            waiting[contender.name] = running = self._start(contender)
            for _ in range(self.warm_up):
                running.run()
        chosen = {contender.name: contender for contender in self.options.chosen}
        for number in range(self.options.rounds):
            for name in rounds.order(list(chosen), number):
                self._turn(chosen[name], waiting.get(name))
            _say(f"{self.name}: round {number + 1} of {self.options.rounds}: " + self._latest())
        for name, running in waiting.items():
            finished = running.finish(self._folder / f"{_slug(name)}.npy")
            self.about[name].update(finished)
            for measure in ("peak_mb", "work_mb"):
                self.measured[name][measure] = [finished[measure]]

    def _turn(self, contender, running):
        lasting = running is not None
        running = running or self._start(contender)
        answer = running.run()
        if not lasting:
            path = self._folder / f"{_slug(contender.name)}.npy"
            finished = running.finish(path)
            self.about[contender.name].update(finished)
            answer.update(peak_mb=finished["peak_mb"], work_mb=finished["work_mb"])
        for measure, value in answer.items():
            self.measured[contender.name].setdefault(measure, []).append(value)

    def _latest(self):
        return ", ".join(f"{n} {m['seconds'][-1]:.4g} s" for n, m in self.measured.items())

    def _similarity(self):
        """The smallest cosine of a row of each contender with the same row of the reference."""
        import numpy as np

        path = self._folder / f"{_slug(self.reference or '')}.npy"
        if not self.reference or not path.exists():
            return {}
        reference = np.load(path).astype("float64")
        found = {}
        for contender in self.options.chosen:
            other = self._folder / f"{_slug(contender.name)}.npy"
            if other.exists():
                rows = np.load(other).astype("float64")
                lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(reference, axis=1)
                found[contender.name] = float(((rows * reference).sum(1) / lengths).min())
        return found

    def _write(self, similarity):
        base = self.base if self.base in self.measured else self.options.chosen[0].name
        contenders = {}
        for contender in self.options.chosen:
            measured = self.measured[contender.name]
            times = rounds.ratios(self.measured[base]["seconds"], measured["seconds"])
            contenders[contender.name] = {
                **self.about[contender.name],
                "seconds": rounds.summary(measured["seconds"]),
                "ratio": rounds.summary(times),
                "measured": measured,
            }
            if contender.name in similarity:
                value = similarity[contender.name]
                contenders[contender.name]["cosine"] = value
                contenders[contender.name]["agrees"] = value >= SIMILARITY or not contender.exact
        result = {
            "benchmark": self.name,
            "question": self.question,
            "machine": {**self._before, "load_after": machine.load()},
            "variables": self.options.set,
            "rounds": self.options.rounds,
            "base": base,
            "notes": self.notes,
            "contenders": contenders,
            "goals": rounds.judge(self.goals, self.measured),
        }
        folder = self.options.output
        (folder / f"{self.name}.json").write_text(json.dumps(result, indent=1) + "\n")
        table = report.markdown(result)
        (folder / f"{self.name}.md").write_text(table)
        report.plot([result], folder / f"{self.name}.png")
        print(table)
        _say(f"Written: {folder / self.name}.md, .json, .png")
        return result


def exit_code(result):
    """1 where a contender that must agree with the reference does not."""
    wrong = [n for n, c in result["contenders"].items() if not c.get("agrees", True)]
    for name in wrong:
        print(
            f"error: {name} differs from the reference: cosine "
            f"{result['contenders'][name]['cosine']:.6f}, at least {SIMILARITY} was expected.",
            file=sys.stderr,
        )
    return int(bool(wrong))


def _slug(name):
    return "".join(c if c.isalnum() else "-" for c in name)


def _say(text):
    print(text, file=sys.stderr, flush=True)
