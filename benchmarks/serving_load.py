"""How does `tf-bertembed serve` stand up to 1 to 64 clients, next to bulk embedding?

The exported all-MiniLM-L6-v2 is served on loopback and asked over REST and gRPC by clients that
each wait for an answer before they ask again; bulk embedding of the same texts takes turns with
it. Then memory over many requests, and a version swapped ten times while clients ask.
Clients and server share the processor; nothing but loopback is used.

    python benchmarks/serving_load.py [--data FOLDER] [--rounds N] [--clients N …] [--rows N …]
        [--seconds N] [--requests N] [--swaps N] [--model FOLDER] [--output FOLDER]

Writes serving_load.csv, serving_load_memory.csv, serving_load.md and serving_load.png.
"""

import argparse
import csv
import dataclasses
import shutil
import statistics
import sys
import time
from pathlib import Path

import corpora
import minilm
from contenders import served
from harness import machine, options, ratios, report
from harness.contenders import Running
from workloads import WAKING

SIGNATURE = "embed"
GOAL, GOAL_CLIENTS = 0.85, 16
# What memory may grow by over the requests of the second half: noise of the allocator.
FLAT = 0.05
LOAD_COLUMNS = (
    *("round", "api", "rows", "clients", "texts_per_second", "of_bulk", "requests", "failed"),
    *("p50", "p95", "p99", "server_cpu_ms", "client_cpu_ms", "bulk_cpu_ms"),
)


def main():
    """Run it; 1 where an answer was lost or wrong, or memory grew."""
    arguments = _arguments()
    work = arguments.output / "work" / "serving_load"
    work.mkdir(parents=True, exist_ok=True)
    about = machine.describe()
    texts, source = corpora.sentences(arguments.data, arguments.texts)
    model = _model(arguments, work)
    bulk = Running(
        dataclasses.replace(
            minilm.OUR_COMMAND,
            settings={"checkpoint": str(minilm.checkpoint()), "batch_size": None},
        ),
        sys.executable,
        "workloads:all_texts",
        {"path": corpora.write(texts, work / "texts.json")},
        arguments.set,
        work / "bulk.log",
    )
    try:
        bulk.run()
        with served.serving(model, work / "serve.log", arguments.set) as server:
            load = _load(arguments, bulk, server, texts)
            wrong = _differ(bulk, server, texts, work)
            memory = _memory(arguments, server, texts)
            swaps, during_swaps = _swap(arguments, server, texts, model)
    finally:
        bulk.close()
    about["load_after"] = machine.load()
    _write_csv(arguments.output / "serving_load.csv", LOAD_COLUMNS, load)
    _write_csv(arguments.output / "serving_load_memory.csv", ("requests", "resident_mb"), memory)
    lost = sum(row["failed"] for row in load) + during_swaps.failed
    grown = memory[-1]["resident_mb"] / memory[len(memory) // 2]["resident_mb"] - 1
    text = _summary(about, f"{len(texts):,} sentences of {source}", load)
    text += (
        f"\nMemory after {memory[len(memory) // 2]['requests']:,} requests and after "
        f"{memory[-1]['requests']:,}: {grown:+.1%} ({'flat' if grown <= FLAT else 'NOT FLAT'}).\n"
        f"Versions swapped under load: {swaps}, requests {during_swaps.requests:,}, lost "
        f"{during_swaps.failed}.\nLargest difference from bulk embedding: {wrong:.1e}.\n"
    )
    (arguments.output / "serving_load.md").write_text(text)
    _plot(load, arguments.output / "serving_load.png")
    print(text)
    return int(lost > 0 or wrong > 1e-5 or grown > FLAT)


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_shared(parser)
    for name, default, text in (
        ("texts", 2000, "sentences"),
        ("seconds", 10, "how long each number of clients asks"),
        ("requests", 40000, "requests over which memory is looked at"),
        ("swaps", 10, "versions that are swapped under load"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8, 32], help="texts a request")
    parser.add_argument("--apis", nargs="+", choices=served.APIS, default=list(served.APIS))
    parser.add_argument(
        "--model", type=Path, help="a folder NAME of versions; made where none is given"
    )
    parser.set_defaults(rounds=3)
    arguments = parser.parse_args()
    arguments.set = dict(arguments.set)
    arguments.data = Path(arguments.data) if arguments.data else None
    return arguments


def _model(arguments, work):
    """A copy of the model that versions can be added to."""
    folder = arguments.model or served.export_minilm(work / "exported" / minilm.NAME)
    newest = max((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    copy = work / "models" / minilm.NAME
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(newest, copy / "1")
    return copy


def _differ(bulk, server, texts, work):
    """The largest difference of the server's vectors from bulk embedding's, over the largest."""
    import numpy as np

    bulk.finish(work / "vectors.npy")
    vectors = np.load(work / "vectors.npy")[:64]
    answers = [server.vectors(api, SIGNATURE, texts[:64]) for api in served.APIS]
    gap = max(np.abs(np.asarray(answer) - vectors).max() for answer in answers)
    return float(gap / np.abs(vectors).max())


def _load(arguments, bulk, server, texts):
    rows = []
    for number in range(arguments.rounds):
        for api in arguments.apis:
            for size in arguments.rows:
                requests = server.requests(api, SIGNATURE, texts, size)
                for clients in arguments.clients:
                    beside = bulk.run()
                    base = beside["rate"]
                    found = server.load(api, requests, clients, seconds=arguments.seconds)
                    rate = found.rate * size
                    rows.append(
                        {
                            "round": number + 1,
                            "api": api,
                            "rows": size,
                            "clients": clients,
                            "texts_per_second": round(rate, 1),
                            "of_bulk": round(ratios([1 / base], [1 / rate])[0], 3),
                            "requests": found.requests,
                            "failed": found.failed,
                            **found.percentiles(),
                            # Of one text; less than the times above where others compute too.
                            "server_cpu_ms": _each(found.server_cpu, found.requests * size),
                            "client_cpu_ms": _each(found.client_cpu, found.requests * size),
                            "bulk_cpu_ms": _each(beside["cpu_seconds"], len(texts) + WAKING),
                        }
                    )
                    print(rows[-1], file=sys.stderr, flush=True)
    return rows


def _each(seconds, texts):
    return round(1000 * seconds / texts, 3)


def _memory(arguments, server, texts):
    """Resident memory after each twentieth of many requests of one short text."""
    requests = server.requests("grpc", SIGNATURE, [text[:40] for text in texts], 1)
    part = max(64, arguments.requests // 20)
    found = [{"requests": 0, "resident_mb": server.resident_mb()}]
    for turn in range(20):
        api = "grpc" if turn % 2 or "rest" not in arguments.apis else "rest"
        if api == "rest":
            chosen = server.requests("rest", SIGNATURE, [text[:40] for text in texts], 1)
        else:
            chosen = requests
        server.load(api, chosen, GOAL_CLIENTS, most=part)
        found.append({"requests": part * (turn + 1), "resident_mb": server.resident_mb()})
    return found


def _swap(arguments, server, texts, model):
    """Add versions one after the other while clients ask."""
    requests = server.requests("grpc", SIGNATURE, texts, 1)
    with server.background("grpc", requests, GOAL_CLIENTS) as running:
        for number in range(2, arguments.swaps + 2):
            shutil.copytree(model / str(number - 1), model / ".writing" / str(number))
            (model / ".writing" / str(number)).rename(model / str(number))
            server.until(number - 1, "END")
            shutil.rmtree(model / str(number - 1))
            time.sleep(0.5)
    return arguments.swaps, running.found


def _write_csv(path, columns, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _medians(load):
    """The medians over the rounds, by API, rows and clients."""
    keys = dict.fromkeys((row["api"], row["rows"], row["clients"]) for row in load)
    for key in keys:
        same = [row for row in load if (row["api"], row["rows"], row["clients"]) == key]
        names = LOAD_COLUMNS[LOAD_COLUMNS.index("texts_per_second") :]
        yield key, {name: statistics.median(row[name] for row in same) for name in names}, same


def _summary(about, source, load):
    heading = ["API", "texts a request", "clients", "texts/s", "of bulk", "range", "goal"]
    costs = ["server CPU ms a text", "client", "bulk"]
    table = [[*heading, "p50 ms", "p95 ms", "p99 ms", *costs, "failed"]]
    for (api, size, clients), medians, same in _medians(load):
        spread = sorted(row["of_bulk"] for row in same)
        met = "" if clients < GOAL_CLIENTS else "met" if medians["of_bulk"] >= GOAL else "missed"
        table.append(
            [api, size, clients, f"{medians['texts_per_second']:.0f}"]
            + [f"{medians['of_bulk']:.2f}", f"{spread[0]:.2f} to {spread[-1]:.2f}", met]
            + [f"{medians[name]:.1f}" for name in ("p50", "p95", "p99")]
            + [f"{medians[f'{name}_cpu_ms']:.2f}" for name in ("server", "client", "bulk")]
            + [sum(row["failed"] for row in same)]
        )
    cells = [[str(cell) for cell in row] for row in table]
    return (
        f"## serving_load\n\n{source}; all-MiniLM-L6-v2, float32, strings to vectors. Medians of "
        f"{load[-1]['round']} rounds; each is set against a run of bulk embedding beside it. The "
        f"goal is {GOAL} of bulk from {GOAL_CLIENTS} clients on.\n\n{report.table(cells)}\n\n"
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB; load "
        f"{about['load_before']} before, {about['load_after']} after.\n"
    )


def _plot(load, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = list(_medians(load))
    groups = list(dict.fromkeys(key[:2] for key, *_ in found))
    figure, every = pyplot.subplots(
        2, len(groups), figsize=(4 * len(groups), 6), sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for (api, size), (above, below) in zip(groups, every.T, strict=True):
        points = [(key[2], medians) for key, medians, _ in found if key[:2] == (api, size)]
        clients = [point[0] for point in points]
        for name in ("p50", "p95", "p99"):
            above.plot(clients, [point[1][name] for point in points], "o-", label=name)
        below.plot(clients, [point[1]["of_bulk"] for point in points], "o-")
        below.axhline(GOAL, color="black", linewidth=0.5, linestyle="--")
        above.set_title(f"{api}, {size} text{'s' * (size > 1)} a request", fontsize=10)
        above.set_yscale("log")
        for axes in (above, below):
            axes.set_xscale("log", base=2)
            axes.set_xticks(clients, clients)
        below.set_xlabel("clients")
    every[1, 0].set_ylim(bottom=0)
    every[0, 0].set_ylabel("milliseconds")
    every[1, 0].set_ylabel("texts a second, of bulk embedding")
    every[0, 0].legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
