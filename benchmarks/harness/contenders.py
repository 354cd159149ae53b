"""The driver's side of a contender: what it is, and its process."""

import dataclasses
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
REPOSITORY = BENCHMARKS.parent
PATIENCE = 900  # seconds that one answer may take
TAIL = 12  # lines of a contender's log that an error shows


class ContenderError(Exception):
    """A contender ended, or failed, or did not answer."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way of doing the work.

    Args:
        name: string. How tables and options call it.
        load: string, `module:function`. Called with `settings`, gives what the workload runs.
        environment: string. A name of `environments.REQUIREMENTS`.
        settings: dict. JSON values.
        fresh: bool. Whether each turn has a new process, for work that only happens once in one.
        exact: bool. Whether its results must agree with the reference.
    """

    name: str
    load: str
    environment: str = "project"
    settings: dict = dataclasses.field(default_factory=dict)
    fresh: bool = False
    exact: bool = True


def start(module, environment, python, log, variables, **more):
    """Start a module of `benchmarks/` in an environment, with pipes, its messages going to a log.

    Args:
        module: string. What `python -m` runs.
        environment: string. A name of `environments.REQUIREMENTS`, or "project".
        python: string. The environment's interpreter.
        log: `pathlib.Path`. Where standard error is added to.
        variables: dict of strings. Environment variables.
        **more: passed to `subprocess.Popen`.
    """
    paths = [str(REPOSITORY)] if environment == "project" else []
    paths += filter(None, [os.environ.get("PYTHONPATH")])
    with log.open("ab") as stderr:
        return subprocess.Popen(
            [str(python), "-m", module],
            cwd=BENCHMARKS,
            env={
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "PYTHONPATH": os.pathsep.join(paths),
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            **more,
        )


class Running:
    """The process of a contender. Outside its turns it is stopped, so no thread of it can spin."""

    def __init__(self, contender, python, workload, inputs, variables, log):
        self.name = contender.name
        self.log = Path(log)
        self.process = start("harness.process", contender.environment, python, self.log, variables)
        self.about = self._ask(
            {
                "load": contender.load,
                "settings": contender.settings,
                "workload": workload,
                "inputs": inputs,
            }
        )
        self._stop()

    def run(self):
        """Run the workload once."""
        return self._turn({"do": "run"})

    def finish(self, path=None):
        """Have the last result saved, and end the process."""
        answer = self._turn({"do": "finish", "path": str(path) if path else None})
        self.close()
        return answer

    def close(self):
        """End the process, whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def _turn(self, request):
        self.process.send_signal(signal.SIGCONT)
        answer = self._ask(request)
        self._stop()
        return answer

    def _ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._fail("it ended")
        # One line for one line: nothing can be left in the buffer that `select` would not see.
        end = time.monotonic() + PATIENCE
        if not select.select([self.process.stdout], [], [], end - time.monotonic())[0]:
            self._fail(f"no answer within {PATIENCE} seconds")
        line = self.process.stdout.readline()
        if not line:
            self._fail("it ended")
        answer = json.loads(line)
        if "error" in answer:
            self._fail(answer["error"])
        return answer

    def _fail(self, reason):
        self.close()
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])
        raise ContenderError(f"{self.name}: {reason}\n{tail}\n(all of it in {self.log})")
