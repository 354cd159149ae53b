"""Run the benchmarks that compare contenders, and put their tables and plots together.

    python benchmarks/run_all.py [--only NAME …] [--rounds N] [--data FOLDER] [--output FOLDER]

Further options are those of every benchmark; a benchmark's own ones take its defaults.
"""

import argparse
import json
import subprocess
import sys

from harness import options, report
from harness.contenders import BENCHMARKS

NAMES = [
    name
    for name in (
        "bulk_embedding",
        "single_sentence",
        "mixed_lengths",
        "training_step",
        "preprocessing",
        "loading",
    )
    if (BENCHMARKS / f"{name}.py").exists()
]


def main():
    """Run them one after the other; 1 where one of them failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    options.add_shared(parser)
    arguments = parser.parse_args()
    handed = ["--output", str(arguments.output)]
    for name in ("rounds", "data"):
        if getattr(arguments, name) is not None:
            handed += [f"--{name}", str(getattr(arguments, name))]
    for name in ("python", "set"):
        for key, value in getattr(arguments, name):
            handed += [f"--{name}", f"{key}={value}"]
    if arguments.data is None:
        print("Without --data sentences come from gensim's Wikipedia.", file=sys.stderr)
    failed = []
    for name in arguments.only:
        command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *handed]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    _combine(arguments.output)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _combine(folder):
    """Everything measured so far in this folder, in one page and one plot."""
    paths = [folder / f"{name}.json" for name in NAMES]
    results = [json.loads(path.read_text()) for path in paths if path.exists()]
    if results:
        tables = "\n".join(map(report.markdown, results))
        (folder / "benchmarks.md").write_text(f"# Benchmarks\n\n{tables}")
        report.plot(results, folder / "benchmarks.png")


if __name__ == "__main__":
    sys.exit(main())
