"""How fast does pretraining start from word vectors, and from which table?

Pretrains a small BERT from a random token table ("cold") and from word vectors aligned to its
pieces ("warm"): normalised after or before each block, with a head tied to the table or not, at
several scales and alignments. All runs on a corpus see the same batches, and the output bias
always starts at the frequencies of the pieces.

1. recipes: cold, and warm at the vectors' own scale, in each of these cells with every learning
   rate, then with every warm-up at the best of the rates;
2. starts: the other warm starts; in BERT's own form, normalised after each block and tied, with
   rates and warm-ups of their own, elsewhere with the recipe of warm at its own scale;
3. seeds: cold, warm at its own scale and the best of the others again, each at its best recipe.

Every finished run is kept in OUTPUT/runs.csv, and a script that was stopped goes on there; a run
that is there is not run again. At the end it writes OUTPUT/summary.csv and OUTPUT/curves.png.
Corpora `wikitext2` and `chinese-news` need --data; `wikipedia` is the one that gensim carries.

    python benchmarks/warm_start.py --data ../shared/data --corpora wikitext2 chinese-news \
        --output build/warm_start
"""

import argparse
import dataclasses
import itertools
from pathlib import Path

import warm_start_report
from kept_runs import KeptRuns
from warm_start_runs import HEADS, Run, Setting, Trainer

CORPORA = ("wikipedia", "wikitext2", "chinese-news")
SCALES = ("0.02", "0.1", "0.8")
ALIGNMENTS = ("words-rescaled", "least-squares", "neighbours", "words, centred")


class Losses:
    """The curve of each run; a corpus is read when the first run on it comes."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.trainers = {}
        self.kept = KeptRuns(arguments.output / "runs.csv", Run, self._measure)

    def _measure(self, run):
        if run.corpus not in self.trainers:
            self.trainers[run.corpus] = Trainer(Setting(run.corpus, self.arguments))
        return self.trainers[run.corpus](run)

    def final(self, run):
        """The dev loss at the end of a run."""
        return self.kept(run)[-1][1]


def sweep(runs, first, arguments):
    """The best recipe of a start: the best learning rate, then the best warm-up."""
    tried = [dataclasses.replace(first, learning_rate=r) for r in arguments.learning_rates]
    best = min(tried, key=runs.final)
    tried = [dataclasses.replace(best, warmup=share) for share in arguments.warmups]
    return min(tried, key=runs.final)


def other_starts(cold, arguments):
    """The warm starts beside that at the vectors' own scale."""
    own = dataclasses.replace(cold, start="own", alignment="words")
    found = [dataclasses.replace(own, start=scale) for scale in arguments.scales]
    found += [dataclasses.replace(own, alignment=name) for name in arguments.alignments]
    if cold.head == "untied":
        found += [dataclasses.replace(start, tables="both") for start in (own, *found)]
    return found


def compare(runs, cell, arguments):
    """All runs of one cell."""
    cold = Run(
        *cell,
        start="cold",
        alignment="",
        tables="input",
        learning_rate=arguments.learning_rates[0],
        warmup=arguments.warmups[0],
        seed=0,
        steps=arguments.steps,
    )
    best_cold = sweep(runs, cold, arguments)
    own = sweep(runs, dataclasses.replace(cold, start="own", alignment="words"), arguments)
    recipe = {"learning_rate": own.learning_rate, "warmup": own.warmup}
    others = other_starts(cold, arguments)
    if cell[1:] == ("post", "tied"):
        others = [sweep(runs, start, arguments) for start in others]
    else:
        others = [dataclasses.replace(start, **recipe) for start in others]
    again = [best_cold, own]
    if others:
        again.append(min(others, key=runs.final))
    for run, seed in itertools.product(again, range(arguments.seeds)):
        runs.final(dataclasses.replace(run, seed=seed))


def parsed(arguments=None):
    """The arguments of the command line, checked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for tables and plot")
    parser.add_argument("--data", type=Path, help="folder of development data")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=["wikipedia"])
    parser.add_argument("--norms", nargs="+", choices=["post", "pre"], default=["post", "pre"])
    parser.add_argument(
        "--heads", nargs="+", choices=["tied", "untied"], default=["tied", "untied"]
    )
    parser.add_argument("--scales", nargs="*", default=SCALES, help="deviations of the table")
    parser.add_argument("--alignments", nargs="*", default=ALIGNMENTS)
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--warmups", type=float, nargs="+", default=[0.1, 0.3])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--evaluations", type=int, default=8, help="of the dev loss in a run")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--sequence-length", type=int, default=64)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--hidden-dim", type=int, default=128)
    parser.add_argument("--vocabulary-size", type=int, default=8000)
    parser.add_argument("--threads", type=int, help="cores to use; all by default")
    found = parser.parse_args(arguments)
    for name in ("seeds", "steps", "evaluations", "batch_size", "num_layers", "hidden_dim"):
        value = getattr(found, name)
        if value < 1:
            flag = f"--{name.replace('_', '-')}"
            parser.error(f"{flag} must be at least 1. Received: {value}.")
    if found.hidden_dim % HEADS:
        parser.error(f"--hidden-dim must be a multiple of {HEADS}. Received: {found.hidden_dim}.")
    if found.steps % found.evaluations:
        parser.error(
            f"--steps must be a multiple of --evaluations. Received: {found.steps} and "
            f"{found.evaluations}."
        )
    if found.data is None and set(found.corpora) != {"wikipedia"}:
        parser.error("the corpora wikitext2 and chinese-news need --data.")
    return found


def main(arguments=None):
    """Run what is asked for and was not run yet; write tables and plot."""
    arguments = parsed(arguments)
    if arguments.threads:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    arguments.output.mkdir(parents=True, exist_ok=True)
    runs = Losses(arguments)
    for cell in itertools.product(arguments.corpora, arguments.norms, arguments.heads):
        compare(runs, cell, arguments)
    warm_start_report.write(runs.kept.results, arguments.output)


if __name__ == "__main__":
    main()
