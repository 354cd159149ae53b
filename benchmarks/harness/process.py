"""The contender's side: load once, then run the workload whenever the driver says so.

Started as `python -m harness.process` with one line of JSON on standard input. Needs the standard
library alone, since it runs in environments that hold no more than their contender.
"""

import contextlib
import ctypes
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import signal
import sys
import time
import traceback
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent():
    # A process that waits is stopped, so it would not see its input end.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def status(*fields):
    """Read fields of `/proc/self/status`, in MB where they are sizes."""
    values = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in fields:
            number, _, unit = value.strip().partition(" ")
            values[name] = int(number) / 1000 if unit else int(number)
    return values


def resolve(place):
    """Import `module:name`."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def versions(packages):
    """Find the versions of packages and of Python."""
    found = {"python": platform.python_version()}
    for package in packages:
        found[package] = importlib.metadata.version(package)
    return found


class _Process:
    def __init__(self, request):
        module = importlib.import_module(request["load"].partition(":")[0])
        start = time.perf_counter()
        loaded = resolve(request["load"])(**request["settings"])
        self.run = resolve(request["workload"])(loaded, **request["inputs"])
        self.result = None
        self.about = {
            "versions": versions(module.PACKAGES),
            "threads": module.threads() if hasattr(module, "threads") else {},
            "load_seconds": time.perf_counter() - start,
            "loaded_mb": status("VmRSS")["VmRSS"],
        }
        # The peak of loading is kept apart from that of the work.
        self.loading_peak = status("VmHWM")["VmHWM"]
        Path("/proc/self/clear_refs").write_text("5")

    def handle(self, request):
        if request["do"] == "run":
            gc.collect()
            cpu = time.process_time()
            answer, self.result = self.run()
            answer["cpu_seconds"] = time.process_time() - cpu
            return answer
        if request["do"] == "finish":
            if self.result is not None and request["path"]:
                import numpy as np

                np.save(request["path"], self.result)
            counts = status("VmHWM", "Threads")
            return {
                "peak_mb": max(counts["VmHWM"], self.loading_peak),
                "work_mb": counts["VmHWM"] - self.about["loaded_mb"],
                "os_threads": counts["Threads"],
            }
        raise ValueError(request["do"])


def main():
    """Answer each line of standard input with a line of JSON."""
    _die_with_parent()
    # Libraries print where they like; answers have a pipe that only this function knows.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(values):
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    try:
        process = _Process(json.loads(sys.stdin.readline()))
        answer(process.about)
        for line in sys.stdin:
            answer(process.handle(json.loads(line)))
    except Exception as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
