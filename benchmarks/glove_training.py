"""Does GloVe in TensorFlow learn what Stanford's program in C learns, and how fast?

Prepares WikiText-2 as `glove-c-reference.json` says, counts its co-occurrences, trains with the
same options, and holds counts, loss by epoch and updates a second against the file's. An update is
one co-occurrence once; seconds are those of whole epochs, from one end to the next.

    python benchmarks/glove_training.py --data FOLDER --output glove.csv [--epochs 25]
"""

import argparse
import csv
import itertools
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from harness import machine


def write_corpus(data, path):
    """Write the two parts of WikiText-2 without empty lines and without `<unk>`."""
    from tf_bertembed import common

    with path.open("w", encoding="utf-8") as file:
        for part in ("valid", "test"):
            for _, line in common.read_lines(data / "wikitext2" / f"{part}.txt"):
                if line.strip():
                    file.write(line.replace("<unk>", "<raw_unk>") + "\n")


def count(path, options, memory_mib):
    """Count co-occurrences; print them and the seconds."""
    from tf_bertembed import vectors

    begin = time.perf_counter()
    met = vectors.count_cooccurrences(
        path,
        window=options["window_size"],
        symmetric=options["symmetric"],
        min_count=options["min_count"],
        memory_mib=memory_mib,
    )
    print(
        f"counted in {time.perf_counter() - begin:.1f} s with {memory_mib} MiB, {met.spills} times "
        "to disk"
    )
    return met


def compare_counts(met, reference):
    """Print counts beside the reference's."""
    row_of = {word: row for row, word in enumerate(met.words)}
    rows = [
        ("words", len(met.words), reference["vocabulary_size"]),
        ("co-occurrences", met.matrix.nnz, reference["nonzero_cooccurrences"]),
        ("their sum", round(float(met.matrix.sum()), 2), reference["sum_of_cooccurrences"]),
    ]
    for first, second, theirs in reference["largest"]:
        ours = float(met.matrix[row_of[first], row_of[second]])
        rows.append((f"{first} {second}", round(ours, 4), theirs))
    print(f"{'':<22} {'here':>14} {'Stanford':>14}")
    for name, ours, theirs in rows:
        print(f"{name:<22} {ours:>14,} {theirs:>14,}{'' if ours == theirs else '  differs'}")


def train(met, options, epochs, seed):
    """Train; return losses and seconds, one an epoch."""
    import keras

    from tf_bertembed import training

    losses, ends = [], []

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            ends.append(time.perf_counter())

        def on_epoch_end(self, epoch, logs=None):
            losses.append(logs["loss"])
            ends.append(time.perf_counter())

    training.train_glove(
        met,
        vector_size=options["vector_size"],
        epochs=epochs,
        learning_rate=options["eta"],
        x_max=options["x_max"],
        alpha=options["alpha"],
        seed=seed,
        callbacks=[Clock()],
    )
    return losses, [end - begin for begin, end in itertools.pairwise(ends)]


def main():
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("TF_BERTEMBED_DATA"))
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--epochs", type=int, default=25, help="at most 25 have a reference")
    parser.add_argument("--memory-mib", type=int, default=1024, help="memory for counting")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("--data (or TF_BERTEMBED_DATA) must name the folder of development data.")
    if not 1 <= arguments.epochs <= 25:
        parser.error(f"--epochs must be from 1 to 25. Received: {arguments.epochs}.")
    data = Path(arguments.data)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    reference = json.loads((data / "glove-c-reference.json").read_text(encoding="utf-8"))
    options, theirs = reference["options"], reference["cost_by_iteration_one_thread"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.txt"
        write_corpus(data, path)
        met = count(path, options, arguments.memory_mib)
    compare_counts(met, reference)
    before = machine.describe()
    losses, seconds = train(met, options, arguments.epochs, arguments.seed)
    speeds = [met.matrix.nnz / taken for taken in seconds]
    with arguments.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "stanford", "ratio", "seconds", "updates_per_second"])
        print(f"{'epoch':>5} {'loss':>9} {'Stanford':>9} {'ratio':>6} {'million updates/s':>18}")
        for epoch, (loss, cost, taken, speed) in enumerate(
            zip(losses, theirs, seconds, speeds, strict=False), start=1
        ):
            ratio = loss / cost
            writer.writerow(
                [epoch, f"{loss:.6f}", cost, f"{ratio:.4f}", f"{taken:.3f}", f"{speed:.0f}"]
            )
            print(f"{epoch:>5} {loss:>9.6f} {cost:>9.6f} {ratio:>6.4f} {speed / 1e6:>18.2f}")
    # The first epoch traces the graph too.
    steady = speeds[1:] or speeds
    quartiles = statistics.quantiles(steady, n=4) if len(steady) > 1 else steady * 3
    stanford = met.matrix.nnz * len(theirs) / reference["seconds_two_threads"]
    print(
        f"median {statistics.median(steady) / 1e6:.2f} million updates a second (quartiles "
        f"{quartiles[0] / 1e6:.2f} to {quartiles[2] / 1e6:.2f}), Stanford's two threads "
        f"{stanford / 1e6:.2f} by the file; {sum(seconds):.1f} s in all"
    )
    print(
        f"{before['cpu']}, {before['cores']} cores; load {before['load_before']} before, "
        f"{machine.load()} after"
    )


if __name__ == "__main__":
    main()
