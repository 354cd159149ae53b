"""How long does a file of 20,000 sentences take to become a file of vectors, all in all?

From the command line to the last byte, start-up included: `tf-bertembed embed all-minilm-l6-v2 F
--output X.npy` against a script that reads the file, calls sentence-transformers' `encode` and
saves what it gives; with the same weights and the same longest text, 256 pieces. Then `embed`
again with a cache that knows every text. All take turns, each a process of its own. Sentences of
many lengths: two fifths each of SST-2 and UD-EWT, a fifth of WikiText-2.

    python benchmarks/embedding_files.py --data FOLDER [--texts N] [--rounds N]
        [--contenders NAME …] [--python pytorch=PATH] [--output FOLDER]

Writes embedding_files.csv (a line a run) and embedding_files.md. Ends with 1 where vectors differ
by more than 1e-5 of the largest number.
"""

import csv
import os
import random
import subprocess
import sys
import time

import corpora
import minilm
from harness import Contender, Goal, environments, machine, options, ratios, report, summary
from harness.contenders import BENCHMARKS, REPOSITORY
from harness.rounds import judge, order

BASE, OURS, CACHED = "sentence-transformers", "tf_bertembed", "tf_bertembed, cached"
SCRIPT = "contenders.sentence_transformers_file"
# `load` is the module that a contender runs.
CONTENDERS = [
    Contender(BASE, SCRIPT, "pytorch", {"batch_size": 32}),
    *(
        Contender(f"{BASE}, batches of {size}", SCRIPT, "pytorch", {"batch_size": size})
        for size in (8, 128)
    ),
    Contender(OURS, "tf_bertembed"),
    Contender(CACHED, "tf_bertembed", settings={"cache": True}),
]
GOALS = [
    Goal(OURS, 1.3, BASE),
    *(Goal(OURS, 1.3, contender.name) for contender in CONTENDERS[1:3]),
    Goal(CACHED, 50, BASE),
]
TOLERANCE = 1e-5
COLUMNS = ("round", "contender", "seconds", "cpu_seconds", "peak_mb", "load")
SHARES = {"SST-2": 0.4, "UD-EWT": 0.4, "WikiText-2": 0.2}


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--texts", type=int, default=20_000, help="sentences (20,000)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=3, extend=extend)
    if arguments.data is None:
        sys.exit("error: --data FOLDER is needed: there are the sentences.")
    work = (arguments.output / "work" / "embedding_files").resolve()
    work.mkdir(parents=True, exist_ok=True)
    source = work / f"{arguments.texts}.txt"
    texts = _sentences(arguments.data, arguments.texts)
    source.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    about, runs = machine.describe(), {contender.name: [] for contender in arguments.chosen}
    commands = {c.name: _command(c, arguments, source, work) for c in arguments.chosen}
    if CACHED in commands:
        # Fills the cache.
        _timed(commands[CACHED], arguments.set)
    for number in range(arguments.rounds):
        for name in order(list(commands), number):
            runs[name].append(_timed(commands[name], arguments.set))
            print(f"round {number + 1}: {name} {runs[name][-1]['seconds']:.1f} s", flush=True)
    differences = _differences(work, arguments.chosen)
    _write(arguments, about, texts, runs, differences)
    return int(any(difference > TOLERANCE for difference in differences.values()))


def _sentences(data, count):
    from tf_bertembed import common, text

    pools = {
        "SST-2": [
            sentence
            for split in ("train", "dev", "test")
            for sentence in text.read_labelled(data / "sst2" / f"{split}.tsv")[0]
        ],
        "UD-EWT": [
            line.removeprefix("# text = ").strip()
            for split in ("train", "dev", "test")
            for _, line in common.read_lines(data / "ud-en-ewt" / f"{split}.conllu.gz")
            if line.startswith("# text = ")
        ],
        "WikiText-2": [
            f"{sentence.removesuffix(' .')} ."
            for document in corpora.wikitext2(data)
            for paragraph in document
            if not paragraph.startswith("=")
            for sentence in paragraph.split(" . ")
        ],
    }
    draw, chosen = random.Random(0), []
    for name, pool in pools.items():
        distinct, wanted = sorted(set(pool)), round(SHARES[name] * count)
        if len(distinct) < wanted:
            sys.exit(f"error: {wanted} sentences were asked of {name}, which has {len(distinct)}.")
        chosen += draw.sample(distinct, wanted)
    draw.shuffle(chosen)
    return chosen


def _output(work, contender):
    return work / f"{CONTENDERS.index(contender)}.npy"


def _command(contender, arguments, source, work):
    python = environments.interpreter(contender.environment, arguments.python)
    command, output = [python, "-m", contender.load], _output(work, contender)
    if contender.environment == "pytorch":
        size = contender.settings["batch_size"]
        return [*command, str(minilm.checkpoint()), str(source), str(output), str(size)]
    cached = ["--cache", str(work / "cache")] if "cache" in contender.settings else []
    return [
        *command,
        "embed",
        minilm.NAME,
        str(source),
        "--output",
        str(output),
        "--force",
        *cached,
    ]


def _timed(command, variables):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", **variables}
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(BENCHMARKS)])
    load, start = machine.load(), time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {process.returncode}:\n{said[-2000:]}")
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1000,
        "load": load,
    }


def _differences(work, contenders):
    """Of each contender's vectors from sentence-transformers', over the largest number there."""
    import numpy as np

    base = next((c for c in contenders if c.name == BASE), None)
    if base is None:
        return {}
    expected = np.load(_output(work, base))
    return {
        contender.name: float(
            np.abs(np.load(_output(work, contender)) - expected).max() / np.abs(expected).max()
        )
        for contender in contenders
    }


def _write(arguments, about, texts, runs, differences):
    with (arguments.output / "embedding_files.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for name, turns in runs.items():
            for number, run in enumerate(turns, start=1):
                writer.writerow({"round": number, "contender": name, **run})
    base = BASE if BASE in runs else next(iter(runs))
    seconds = {name: [run["seconds"] for run in turns] for name, turns in runs.items()}
    rows = [("contender", f"times {base}", "range", "seconds", "CPU s", "peak MB", "difference")]
    for name, turns in runs.items():
        times = summary(ratios(seconds[base], seconds[name]))
        middle = {key: summary([run[key] for run in turns])["median"] for key in COLUMNS[2:5]}
        rows.append(
            (
                name,
                f"{times['median']:.2f}",
                f"{times['min']:.2f} to {times['max']:.2f}",
                f"{middle['seconds']:.1f}",
                f"{middle['cpu_seconds']:.1f}",
                f"{middle['peak_mb']:.0f}",
                f"{differences[name]:.1e}" if name in differences else "",
            )
        )
    measured = {name: {"seconds": values} for name, values in seconds.items()}
    words = sorted(len(text.split()) for text in texts)
    places = {part: words[round(part * (len(words) - 1))] for part in (0.1, 0.5, 0.9, 1)}
    lines = [
        report.table(rows),
        "",
        f"{len(texts):,} sentences: {', '.join(f'{v:.0%} {k}' for k, v in SHARES.items())}. Words "
        f"in them: {places[0.1]} to {places[0.9]} in eight of ten, {places[0.5]} in the middle "
        f"one, at most {places[1]}. {arguments.rounds} rounds; start-up included.",
        *(
            f"{goal['contender']}: {goal['median']:.2f} times {goal['than']}, goal "
            f"{goal['times']}: {'met' if goal['met'] else 'not met'}."
            for goal in judge(GOALS, measured)
        ),
        f"{about['cpu']}, {about['cores']} cores; load {about['load_before']} before, "
        f"{machine.load()} after.",
        "",
    ]
    written = "\n".join(lines)
    (arguments.output / "embedding_files.md").write_text(written, encoding="utf-8")
    print(written)


if __name__ == "__main__":
    sys.exit(main())
