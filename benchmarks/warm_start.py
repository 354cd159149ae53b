"""How fast does pretraining start from word vectors, at which scale of the table?

Pretrains a small BERT on the Wikipedia articles that gensim carries, from a
random token table ("cold") and from GloVe 6B 50d aligned to its pieces
("warm"), at several scales, normalised after or before each block, each with
the output bias at zero or at the frequencies of the pieces. All runs see the
same batches. Prints a table of dev losses of masked pieces by step and writes
it as CSV.

    python benchmarks/warm_start.py --output warm_start.csv --steps 200
"""

import argparse
import csv
import itertools
import math
import sys
import time

import keras

from tf_bertembed import models, quickstart, tasks, text, training, vectors

HEADS = 4


class Setting:
    """The corpus, the vocabulary and the vectors that every run shares."""

    def __init__(self, arguments):
        documents = quickstart.wikipedia_documents()
        dev, train = documents[::10], [d for i, d in enumerate(documents) if i % 10]
        self.vocabulary = text.train_vocabulary([s for d in train for s in d], 8000)
        tokenizer = text.BertEmbedTokenizer(self.vocabulary)
        self.matrix = vectors.align(vectors.load("glove-6b-50d"), self.vocabulary).matrix

        def examples(part, fresh):
            return text.PretrainingExamples(
                part,
                tokenizer,
                sequence_length=arguments.sequence_length,
                batch_size=arguments.batch_size,
                seed=arguments.seed,
                fresh_masks=fresh,
            )

        self.train, self.dev = examples(train, True), examples(dev, False).epoch(0).take(12).cache()


def measured_steps(steps):
    """0 and the steps after which the dev loss is taken: at most four, the last one among them."""
    parts = min(4, steps)
    return [round(part * steps / parts) for part in range(parts + 1)]


def scale(value):
    """A scale as the command line gives it."""
    if value in ("cold", "own"):
        return value
    if not 0 < float(value) < math.inf:
        raise ValueError(value)
    return float(value)


def run(setting, arguments, scale, norm_first, bias, learning_rate):
    """Pretrain once; return the dev losses of masked pieces by step."""
    keras.utils.set_random_seed(arguments.seed)
    backbone = models.BertEmbedBackbone(
        vocabulary_size=len(setting.vocabulary),
        num_layers=arguments.num_layers,
        num_heads=HEADS,
        hidden_dim=arguments.hidden_dim,
        intermediate_dim=4 * arguments.hidden_dim,
        max_sequence_length=arguments.sequence_length,
        norm_first=norm_first,
    )
    if scale != "cold":
        models.warm_start(backbone, setting.matrix, scale=scale)
    pretrainer = tasks.Pretrainer(backbone)
    if bias:
        pretrainer.start_from_frequencies(setting.train.piece_counts())
    pretrainer.compile(training.create_optimizer(learning_rate, arguments.steps))
    losses = {}
    for start, end in itertools.pairwise(measured_steps(arguments.steps)):
        pretrainer.fit(setting.train.dataset(start), steps_per_epoch=end - start, verbose=0)
        scores = pretrainer.evaluate(setting.dev, verbose=0, return_dict=True)
        losses[end] = scores["masked_lm_crossentropy"]
    return losses


def main():
    """Run every setting asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="CSV file to write")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--sequence-length", type=int, default=64)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--hidden-dim", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--scales",
        type=scale,
        nargs="+",
        default=["cold", 0.02, 0.05, "own", 0.4],
        help="cold, own, or numbers above 0",
    )
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[1e-3])
    parser.add_argument("--norms", nargs="+", choices=["post", "pre"], default=["post", "pre"])
    parser.add_argument(
        "--biases", nargs="+", choices=["zero", "counts"], default=["zero", "counts"]
    )
    arguments = parser.parse_args()
    for name in ("steps", "batch_size", "sequence_length", "num_layers", "hidden_dim"):
        if getattr(arguments, name) < 1:
            parser.error(
                f"--{name.replace('_', '-')} must be at least 1. "
                f"Received: {getattr(arguments, name)}."
            )
    if arguments.hidden_dim % HEADS:
        parser.error(
            f"--hidden-dim must be a multiple of {HEADS}. Received: {arguments.hidden_dim}."
        )
    setting = Setting(arguments)
    with open(arguments.output, "w", newline="") as file:
        writer = None
        for norm in arguments.norms:
            for bias in arguments.biases:
                for rate in arguments.learning_rates:
                    for name in arguments.scales:
                        start = time.perf_counter()
                        losses = run(
                            setting, arguments, name, norm == "pre", bias == "counts", rate
                        )
                        row = {
                            "norm": norm,
                            "bias": bias,
                            "learning_rate": rate,
                            "scale": name,
                            **{f"step {s}": f"{v:.3f}" for s, v in losses.items()},
                            "seconds": f"{time.perf_counter() - start:.0f}",
                        }
                        if writer is None:
                            writer = csv.DictWriter(file, row)
                            writer.writeheader()
                            print(" ".join(f"{key:>9}" for key in row))
                        writer.writerow(row)
                        file.flush()
                        print(" ".join(f"{value:>9}" for value in row.values()))
                        sys.stdout.flush()


if __name__ == "__main__":
    main()
