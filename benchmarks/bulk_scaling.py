"""How does the Beam pipeline scale, and what would a billion sentences cost?

Sentences of SST-2 (with --data; else of Wikipedia) become vectors of all-MiniLM-L6-v2, exported,
in Parquet: by `python -m tf_bertembed.bulk` with one worker process and with two, each with one
core, and as it comes, in one process with a batch a core; and by `tf-bertembed embed`. Each run is
a process of its own, start to end; all take turns. Two sizes part the start from the work: the
rate is the slope between them, and so are the CPU seconds of all processes of a run, which other
work on the machine hardly touches. Ratios are formed round by round. Every finished run is kept in
OUTPUT/bulk_scaling.csv, and a script that was stopped goes on there.

    python benchmarks/bulk_scaling.py --data ../shared/data [--texts 1000 4000] [--rounds 3]
        [--workers 100] [--price PRICE_OF_A_CORE_HOUR] [--model FOLDER] [--output FOLDER]

Writes bulk_scaling.csv (a line a run) and bulk_scaling.md.
"""

import argparse
import dataclasses
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import bulk_cost
import corpora
from contenders import served
from harness import machine, options, summary
from harness.rounds import order
from kept_runs import KeptRuns

PROCESSES = "--direct_running_mode=multi_processing"
ONE_CORE = ["--streams=1", "--threads=1", PROCESSES]
WAYS = {
    "one worker": ["--direct_num_workers=1", *ONE_CORE],
    "two workers": ["--direct_num_workers=2", *ONE_CORE],
    "as it comes": [],
    "embed": None,
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One way, from start to end, on so many texts."""

    round: int
    way: str
    texts: int


def main():
    """Run it."""
    arguments = _arguments()
    work = arguments.output / "work" / "bulk_scaling"
    work.mkdir(parents=True, exist_ok=True)
    about = machine.describe()
    model = arguments.model or served.export_minilm(work / "exported" / "all-minilm-l6-v2")
    texts, source = _texts(arguments)
    files = {size: _write(texts[:size], work / f"{size}.jsonl") for size in arguments.texts}
    runs = KeptRuns(
        arguments.output / "bulk_scaling.csv",
        Run,
        lambda run: _measure(run, model, files[run.texts], work),
    )
    for number in range(arguments.rounds):
        for way in order(list(WAYS), number):
            for size in files:
                runs(Run(number, way, size))
    report = _report(arguments, runs.results, about, source)
    (arguments.output / "bulk_scaling.md").write_text(report, encoding="utf-8")
    print(report)


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_shared(parser)
    parser.set_defaults(rounds=3)
    parser.add_argument("--texts", type=int, nargs=2, default=(1000, 4000), metavar="N")
    parser.add_argument("--workers", type=int, default=100, help="of the job that is reckoned")
    parser.add_argument("--price", type=float, help="of a core-hour, in any currency")
    parser.add_argument("--model", type=Path, help="an exported model (default: all-MiniLM-L6-v2)")
    arguments = parser.parse_args()
    arguments.texts = sorted(arguments.texts)
    arguments.data = None if arguments.data is None else Path(arguments.data)
    return arguments


def _texts(arguments):
    most = arguments.texts[-1]
    path = arguments.data and arguments.data / "sst2" / "train.tsv"
    if not path or not path.exists():
        return corpora.sentences(None, most)
    from tf_bertembed import text

    texts = text.read_labelled(path)[0]
    random.Random(0).shuffle(texts)
    if len(texts) < most:
        raise SystemExit(f"{path} holds {len(texts)} sentences; {most} were asked for.")
    return texts[:most], "SST-2"


def _write(texts, path):
    lines = (json.dumps({"id": n, "text": one}) + "\n" for n, one in enumerate(texts))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _measure(run, model, path, work):
    output = work / "vectors"
    if WAYS[run.way] is None:
        made = [f"{output}.parquet", "--id-column", "id"]
        command = ["tf_bertembed", "embed", str(model), str(path), "--force", "--output", *made]
    else:
        command = ["tf_bertembed.bulk", str(path), "--model", str(model), "--force"]
        command += ["--output", str(output), *WAYS[run.way]]
    start, cpu = time.perf_counter(), _cpu_of_children()
    done = subprocess.run(
        [sys.executable, "-m", *command, "--json"],
        env={**os.environ, "PYTHONPATH": str(options.REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode or json.loads(done.stdout)["texts"] != run.texts:
        raise SystemExit(f"{run.way} failed:\n{done.stderr}{done.stdout}")
    return {"seconds": round(seconds, 3), "cpu": round(_cpu_of_children() - cpu, 3)}


def _cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rates(results, sizes, of="seconds"):
    """Per way the rate and the start of each round.

    Args:
        results: dict of `Run` to a dict of what it took.
        sizes: the two numbers of texts, the smaller first.
        of: string. `"seconds"`, or `"cpu"` for those of the processors.

    Returns:
        A dict of ways to two lists: rows a second, and seconds.
    """
    few, many = sizes
    found = {way: ([], []) for way in WAYS}
    for run, short in results.items():
        if run.texts == few and (long := results.get(Run(run.round, run.way, many))):
            each = (long[of] - short[of]) / (many - few)
            speeds, starts = found[run.way]
            speeds.append(1 / each)
            starts.append(short[of] - few * each)
    return found


def _spread(values, digits):
    found = summary(values)
    parts = (found[name] for name in ("median", "min", "max"))
    return "{} ({} to {})".format(*(f"{part:.{digits}f}" for part in parts))


def _report(arguments, results, about, source):
    found = rates(results, arguments.texts)
    cpu = rates(results, arguments.texts, "cpu")
    base = found["one worker"][0]
    lines = [
        f"{' and '.join(map(str, arguments.texts))} sentences of {source}, {len(base)} rounds, "
        f"median (range); {about['cpu']}, {about['cores']} cores, load "
        f"{about['load_before']} before.",
        "",
        "| way | rows a second | times one worker | start, s | rows a CPU second | start, CPU s |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way, (speeds, starts) in found.items():
        times = [a / b for a, b in zip(speeds, base, strict=True)]
        columns = [_spread(speeds, 0), _spread(times, 2), _spread(starts, 1)]
        columns += [_spread(cpu[way][0], 0), _spread(cpu[way][1], 1)]
        lines.append("| " + " | ".join([way, *columns]) + " |")
    inputs = {
        "rate": summary(cpu["two workers"][0])["median"],
        "start": summary(cpu["one worker"][1])["median"],
        "workers": arguments.workers,
        "dimensions": 384,
        "price": arguments.price,
    }
    told = ", ".join(f"{name} {value:.4g}" for name, value in inputs.items() if value is not None)
    costs = [bulk_cost.cost(rows, **inputs) for rows in bulk_cost.SIZES]
    return "\n".join([*lines, "", f"Reckoned with {told}:", "", *bulk_cost.table(costs), ""])


if __name__ == "__main__":
    main()
