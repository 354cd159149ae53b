"""What does a pretrained BERT lose when it moves to another vocabulary, and how soon is it back?

The model is the first layers of all-MiniLM-L6-v2 with 8,000 pieces of Wikipedia, taught to restore
masked pieces on Wikipedia (gensim's articles and WikiText-2). It moves to a vocabulary learned on
film reviews (SST-2) and to one learned on German captions (Multi30k), by each method of
`checkpoint transfer`, and is trained there, every method on the same batches. "Counted" are those
where biases of new pieces follow from counts, as they do in `checkpoint transfer` with a corpus.
Writes the loss of masked pieces by step, in nats, with the pieces per word before and after, as CSV
and PNG. What is finished is kept in `--work`; run again, it goes on there.

    python benchmarks/vocabulary_transfer.py --data FOLDER --output vocabulary_transfer.csv
"""

import argparse
import csv
import dataclasses
import os
from pathlib import Path

from kept_runs import KeptRuns
from vocabulary_transfer_runs import CORPORA, Moves, Run


def write(results, path):
    """A row a run: the losses by step, and the pieces per word before and after."""
    with path.open("w", newline="") as file:
        writer = None
        for run, result in results.items():
            row = {**dataclasses.asdict(run)}
            row |= {f"step {step}": f"{loss:.3f}" for step, loss in result["losses"].items()}
            row |= {way: count for way, (count, _) in result["ways"].items()}
            for name in ("before", "after"):
                row[f"pieces per word {name}"] = f"{result[name]['pieces_per_word']:.3f}"
            if writer is None:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
            writer.writerow(row)


def plot(results, path):
    """Draw the losses by step, a panel a corpus, a line a method (the mean over seeds)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    corpora = list(dict.fromkeys(run.corpus for run in results))
    figure, panels = pyplot.subplots(1, len(corpora), figsize=(6 * len(corpora), 4), squeeze=False)
    for panel, corpus in zip(panels[0], corpora, strict=True):
        for method in CORPORA[corpus].METHODS:
            curves = [
                result["losses"]
                for run, result in results.items()
                if (run.corpus, run.method) == (corpus, method)
            ]
            if curves:
                steps = [int(step) for step in curves[0]]
                parts = zip(*(curve.values() for curve in curves), strict=True)
                means = [sum(part) / len(part) for part in parts]
                panel.plot(steps, means, marker="o", label=method)
        panel.set(title=corpus, xlabel="steps after the move", ylabel="nats a masked piece")
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    """Run what is not finished yet, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("TF_BERTEMBED_DATA"),
        help="folder of data sets (default: the environment variable TF_BERTEMBED_DATA)",
    )
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("build/vocabulary_transfer"),
        help="folder of what is finished",
    )
    parser.add_argument("--corpora", nargs="+", choices=list(CORPORA), default=list(CORPORA))
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--base-steps", type=int, default=400)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("--data, or TF_BERTEMBED_DATA, must name the folder of data sets.")
    # Losses are measured so often while the model is taught, and after it was moved.
    for name, least in (("seeds", 1), ("num_layers", 1), ("steps", 4), ("base_steps", 5)):
        value = getattr(arguments, name)
        if value < least:
            flag = f"--{name.replace('_', '-')}"
            parser.error(f"{flag} must be at least {least}. Received: {value}.")
    arguments.data = Path(arguments.data)
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept = KeptRuns(arguments.work / "runs.csv", Run, Moves(arguments))
    sizes = arguments.steps, arguments.learning_rate, arguments.num_layers, arguments.base_steps
    # A seed of every method first, so that a run cut short has a whole table.
    runs = [
        Run(corpus, method, seed, *sizes)
        for seed in range(arguments.seeds)
        for corpus in arguments.corpora
        for method in CORPORA[corpus].METHODS
    ]
    results = {run: kept(run) for run in runs}
    write(results, arguments.output)
    plot(results, arguments.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
