"""How does the Beam pipeline scale, and what would a billion sentences cost?

Sentences of SST-2 (with --data; else of Wikipedia) become vectors of all-MiniLM-L6-v2, exported,
in Parquet: by `python -m tf_bertembed.bulk` with one worker process and with two, each with one
core, and as it comes, in one process with a batch a core; and by `tf-bertembed embed`. Each run is
a process of its own, start to end; all take turns. Two sizes part the start from the work: the
rate is the slope between them. Ratios are formed round by round.

    python benchmarks/bulk_scaling.py --data ../shared/data [--texts 1000 4000] [--rounds 3]
        [--workers 100] [--price PRICE_OF_A_CORE_HOUR] [--model FOLDER] [--output FOLDER]

Writes bulk_scaling.csv (a line a run) and bulk_scaling.md.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import bulk_cost
import corpora
from contenders import served
from harness import machine, options, summary
from harness.rounds import order

PROCESSES = "--direct_running_mode=multi_processing"
ONE_CORE = ["--streams=1", "--threads=1", PROCESSES]
WAYS = {
    "one worker": ["--direct_num_workers=1", *ONE_CORE],
    "two workers": ["--direct_num_workers=2", *ONE_CORE],
    "as it comes": [],
    "embed": None,
}
COLUMNS = ("round", "way", "texts", "seconds", "load")


def main():
    """Run it."""
    arguments = _arguments()
    work = arguments.output / "work" / "bulk_scaling"
    work.mkdir(parents=True, exist_ok=True)
    about = machine.describe()
    model = arguments.model or served.export_minilm(work / "exported" / "all-minilm-l6-v2")
    texts, source = _texts(arguments)
    files = {size: _write(texts[:size], work / f"{size}.jsonl") for size in arguments.texts}
    runs = []
    for number in range(arguments.rounds):
        for way in order(list(WAYS), number):
            for size, path in files.items():
                seconds = _run(way, model, path, size, work)
                runs.append((number, way, size, round(seconds, 3), machine.load()))
                print(*runs[-1], sep=", ", file=sys.stderr, flush=True)
                _write_csv(arguments.output / "bulk_scaling.csv", runs)
    report = _report(arguments, runs, about, source)
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


def _run(way, model, path, size, work):
    output = work / "vectors"
    if WAYS[way] is None:
        made = [f"{output}.parquet", "--id-column", "id"]
        command = ["tf_bertembed", "embed", str(model), str(path), "--force", "--output", *made]
    else:
        command = ["tf_bertembed.bulk", str(path), "--model", str(model), "--force"]
        command += ["--output", str(output), *WAYS[way]]
    environment = {**os.environ, "PYTHONPATH": str(options.REPOSITORY)}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode or json.loads(done.stdout)["texts"] != size:
        raise SystemExit(f"{way} failed:\n{done.stderr}{done.stdout}")
    return seconds


def _write_csv(path, runs):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *runs])


def rates(runs, sizes):
    """Per way the rate and the start of each round.

    Args:
        runs: list of tuples, as `COLUMNS` names them.
        sizes: the two numbers of texts, the smaller first.

    Returns:
        A dict of ways to two lists: rows a second, and seconds.
    """
    seconds = {(number, way, size): taken for number, way, size, taken, _ in runs}
    numbers = sorted({number for number, *_ in runs})
    few, many = sizes
    found = {}
    for way in dict.fromkeys(way for _, way, *_ in runs):
        short = [seconds[number, way, few] for number in numbers]
        long = [seconds[number, way, many] for number in numbers]
        each = [(b - a) / (many - few) for a, b in zip(short, long, strict=True)]
        starts = [a - few * one for a, one in zip(short, each, strict=True)]
        found[way] = [1 / one for one in each], starts
    return found


def _spread(values, digits):
    found = summary(values)
    parts = (found[name] for name in ("median", "min", "max"))
    return "{} ({} to {})".format(*(f"{part:.{digits}f}" for part in parts))


def _report(arguments, runs, about, source):
    found = rates(runs, arguments.texts)
    base = found["one worker"][0]
    lines = [
        f"{' and '.join(map(str, arguments.texts))} sentences of {source}, {arguments.rounds} "
        f"rounds, median (range); {about['cpu']}, {about['cores']} cores, load "
        f"{about['load_before']} before.",
        "",
        "| way | rows a second | times one worker | start, s |",
        "| --- | ---: | ---: | ---: |",
    ]
    for way, (speeds, starts) in found.items():
        times = [a / b for a, b in zip(speeds, base, strict=True)]
        lines.append(
            f"| {way} | {_spread(speeds, 0)} | {_spread(times, 2)} | {_spread(starts, 1)} |"
        )
    two = [a / b / 2 for a, b in zip(found["two workers"][0], base, strict=True)]
    inputs = {
        "rate": summary(base)["median"],
        "start": summary(found["one worker"][1])["median"],
        "efficiency": summary(two)["median"],
        "workers": arguments.workers,
        "dimensions": 384,
        "price": arguments.price,
    }
    told = ", ".join(f"{name} {value:.4g}" for name, value in inputs.items() if value is not None)
    costs = [bulk_cost.cost(rows, **inputs) for rows in bulk_cost.SIZES]
    return "\n".join([*lines, "", f"Reckoned with {told}:", "", *bulk_cost.table(costs), ""])


if __name__ == "__main__":
    main()
