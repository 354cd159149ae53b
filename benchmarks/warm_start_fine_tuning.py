"""A small BERT without pretraining, fine-tuned from a random token table and from word vectors.

Learns a vocabulary from the training texts of SST-2 and of TREC, and trains a classifier on them
from each start; each start has its own best learning rate, chosen by the dev set (TREC has none:
every tenth question is held out), and is then judged by the test set over the seeds. Finished
runs are kept in OUTPUT/runs.csv and not run again; the table is written to OUTPUT/summary.csv.

    python benchmarks/warm_start_fine_tuning.py --data ../shared/data --output build/fine_tuning
"""

import argparse
import csv
import dataclasses
import gc
from pathlib import Path

import keras
import numpy as np
from kept_runs import KeptRuns

from tf_bertembed import models, tasks, text, training, vectors

LENGTHS = {"sst2": 48, "trec": 24}
BATCH_SIZE = 32
WIDTH = 128


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one fine-tuning from another."""

    corpus: str
    start: str  # "cold", "own" or a scale
    learning_rate: float
    epochs: int
    seed: int


class Setting:
    """A data set, its vocabulary and the vectors of its pieces."""

    def __init__(self, data, corpus, glove):
        def read(part):
            return text.read_labelled(data / corpus / f"{part}.tsv")

        self.corpus = corpus
        self.train, self.test = read("train"), read("test")
        if (data / corpus / "dev.tsv").exists():
            self.dev = read("dev")
        else:
            rows = list(zip(*self.train, strict=True))
            self.dev = tuple(zip(*rows[::10], strict=True))
            rows = [row for place, row in enumerate(rows) if place % 10]
            self.train = tuple(zip(*rows, strict=True))
        vocabulary = text.train_vocabulary(self.train[0], 8000)
        self.tokenizer = text.BertEmbedTokenizer(vocabulary)
        self.alignment = vectors.align(glove, vocabulary, compose="words")

    def fine_tune(self, run):
        """Train once; answer the accuracies of dev and test set."""
        keras.backend.clear_session()
        gc.collect()
        keras.utils.set_random_seed(run.seed)
        backbone = models.BertEmbedBackbone(
            vocabulary_size=self.tokenizer.vocabulary_size(),
            num_layers=2,
            num_heads=4,
            hidden_dim=WIDTH,
            intermediate_dim=4 * WIDTH,
            max_sequence_length=LENGTHS[self.corpus],
        )
        if run.start != "cold":
            scale = run.start if run.start == "own" else float(run.start)
            models.warm_start(backbone, self.alignment.matrix, scale=scale)
        classifier = tasks.TextClassifier(
            backbone,
            sorted(set(self.train[1])),
            text.Preprocessor(self.tokenizer, LENGTHS[self.corpus]),
            pooling="mean",
        )
        texts, labels = map(list, self.train)
        steps = run.epochs * -(-len(texts) // BATCH_SIZE)
        classifier.compile(training.create_optimizer(run.learning_rate, steps))
        classifier.fit(texts, labels, batch_size=BATCH_SIZE, epochs=run.epochs, verbose=0)
        found = {}
        for part in ("dev", "test"):
            texts, labels = map(list, getattr(self, part))
            scores = classifier.evaluate(texts, labels, batch_size=128, verbose=0, return_dict=True)
            found[part] = round(scores["accuracy"], 4)
        return found


def rows(kept, arguments):
    """Run what is not there yet; the summary, one row a data set and start."""
    for corpus in arguments.corpora:
        for start in arguments.starts:
            tried = [
                Run(corpus, start, rate, arguments.epochs, 0) for rate in arguments.learning_rates
            ]
            best = max(tried, key=lambda run: kept(run)["dev"])
            seeds = [dataclasses.replace(best, seed=seed) for seed in range(arguments.seeds)]
            test = [kept(run)["test"] for run in seeds]
            yield {
                "corpus": corpus,
                "start": start,
                "learning_rate": best.learning_rate,
                "epochs": best.epochs,
                "seeds": len(seeds),
                "test_accuracy": f"{np.mean(test):.4f}",
                "deviation": f"{np.std(test, ddof=1):.4f}" if len(test) > 1 else "",
            }


def main():
    """Run what is asked for; print and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of development data")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--corpora", nargs="+", choices=list(LENGTHS), default=list(LENGTHS))
    parser.add_argument("--starts", nargs="+", default=["cold", "own", "0.1"])
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[3e-4, 1e-3, 3e-3])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    glove = vectors.load("glove-6b-50d")
    settings = {}

    def measure(run):
        if run.corpus not in settings:
            settings[run.corpus] = Setting(arguments.data, run.corpus, glove)
        return settings[run.corpus].fine_tune(run)

    arguments.output.mkdir(parents=True, exist_ok=True)
    kept = KeptRuns(arguments.output / "runs.csv", Run, measure)
    found = list(rows(kept, arguments))
    with (arguments.output / "summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)
    for row in found:
        print(*row.values())


if __name__ == "__main__":
    main()
