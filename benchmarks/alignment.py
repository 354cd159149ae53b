"""Which way to make vectors of pieces that are no word gives back what was hidden?

Words are hidden from the vectors in three ways. Held-out words are no piece:
the mean of the vectors of their pieces is compared with the true vector, by
cosine and by its rank among 30,000 words. Hidden pieces are words whose vector
is taken away: what their row is made of instead is compared with it. And the
words of WordSim-353 are taken from the vectors and from the vocabulary, so
that each stands for the mean of its pieces. "random" draws the rows that the
others make. The settings:

- glove-minilm: GloVe 6B 50d (its first --words), the vocabulary of all-MiniLM;
- glove-wikipedia: the same with 8,000 pieces learned from the articles of
  Wikipedia that gensim carries;
- fasttext-wikipedia: fastText trained on those articles without the words held
  out (--epochs); true vectors come from a second training with them, turned
  into the same space;
- tencent-chinese: Tencent's vectors of characters, Google's Chinese vocabulary
  and news, from --data; hidden pieces only.

Writes a CSV file with a row a draw, and a plot beside it.

    python benchmarks/alignment.py --output alignment.csv
    python benchmarks/alignment.py --output zh.csv --settings tencent-chinese --data FOLDER
"""

import argparse
import contextlib
import csv
import functools
import sys
import time
from pathlib import Path

import numpy as np
from alignment_trials import CANDIDATES, SETTINGS, make_trial, wordsim_words
from gensim.models import KeyedVectors

from tf_bertembed import vectors
from tf_bertembed.vectors.alignment import alignment, least_squares
from tf_bertembed.vectors.keyed_vectors import has_ngrams
from tf_bertembed.vectors.wordpiece import Cutter

MEASURES = (
    "cosine",
    "median_rank",
    "reciprocal_rank",
    "length_ratio",
    "piece_cosine",
    "piece_length_ratio",
    "wordsim",
    "seconds",
)
# What `vectors.align` does not offer, for comparison.
VARIANTS = {
    "least-squares, sum": {"pooling": "sum"},
    "least-squares-free, sum": {"pooling": "sum", "free": True},
    "least-squares, by frequency": {"power": 1.0},
    "least-squares, unweighted": {"power": 0.0},
    "least-squares, ridge 1": {"ridge": 1.0},
    "least-squares, ridge 0.01": {"ridge": 0.01},
}


@contextlib.contextmanager
def also(variants):
    """Let `align` take more ways for a while."""
    offered = dict(alignment.COMPOSITIONS)
    for name, options in variants.items():
        fit = functools.partial(least_squares.fit_pieces, **options)
        alignment.COMPOSITIONS[name] = (("least-squares", fit), *alignment.WORDS)
    try:
        yield list(alignment.COMPOSITIONS)
    finally:
        alignment.COMPOSITIONS.clear()
        alignment.COMPOSITIONS.update(offered)


def at_random(trial, found):
    """The matrix of an alignment with rows drawn at random for the pieces that were composed."""
    rows = [row for row, method in enumerate(found.methods) if method == "composed"]
    unused = [f"[unused{row}]" for row in rows]
    matrix = found.matrix.copy()
    drawn = vectors.align(trial.vectors, [*trial.vocabulary, *unused]).matrix
    matrix[rows] = drawn[len(trial.vocabulary) :]
    return matrix


def align_all(trial, variants):
    """Align in every way; yield its name, the matrix, which rows it made, and its seconds."""
    with also(VARIANTS if variants else {}) as names:
        for name in names:
            if name == "ngrams" and not has_ngrams(trial.vectors):
                continue
            for texts in (None, trial.texts) if name == "neighbours" else (None,):
                start = time.perf_counter()
                found = vectors.align(trial.vectors, trial.vocabulary, compose=name, texts=texts)
                seconds = time.perf_counter() - start
                made = np.array([method not in ("special", "missing") for method in found.methods])
                if name == "words":
                    yield "random", at_random(trial, found), made, float("nan")
                yield name if texts is None else f"{name}, texts", found.matrix, made, seconds


def unit(rows):
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def measure(trial, matrix, pieces):
    """The measures of one alignment; `pieces` are the hidden pieces to compare."""
    cutter = Cutter(trial.vocabulary)

    def through_pieces(words):
        return np.stack([matrix[cutter.cut_word(word)].mean(axis=0) for word in words])

    def length_ratio(made, true):
        lengths = np.linalg.norm(made, axis=1) / np.linalg.norm(true, axis=1)
        return float(np.median(lengths))

    found = dict.fromkeys(MEASURES, float("nan"))
    if trial.held_out:
        true, made = trial.truth[trial.held_out], through_pieces(trial.held_out)
        cosine = (unit(true) * unit(made)).sum(axis=1)
        others = unit(trial.truth.vectors[:CANDIDATES])
        ranks = 1 + (unit(made) @ others.T > cosine[:, np.newaxis] + 1e-6).sum(axis=1)
        found["cosine"] = float(cosine.mean())
        found["median_rank"] = float(np.median(ranks))
        found["reciprocal_rank"] = float((1 / ranks).mean())
        found["length_ratio"] = length_ratio(made, true)
    if pieces:
        row_of = {piece: row for row, piece in enumerate(trial.vocabulary)}
        true, made = trial.truth[pieces], matrix[[row_of[piece] for piece in pieces]]
        found["piece_cosine"] = float((unit(true) * unit(made)).sum(axis=1).mean())
        found["piece_length_ratio"] = length_ratio(made, true)
    if trial.wordsim:
        words = sorted(word for word in wordsim_words() if cutter.cut_word(word))
        through = KeyedVectors(matrix.shape[1])
        through.add_vectors(words, through_pieces(words))
        found["wordsim"] = vectors.evaluate_similarity(through)["spearman"]
    return found


def run(setting, arguments, seed):
    """Yield a row for each way of a setting."""
    trial = make_trial(setting, arguments, seed)
    row_of = {piece: row for row, piece in enumerate(trial.vocabulary)}
    ways = list(align_all(trial, arguments.variants))
    rows = np.array([row_of[piece] for piece in trial.hidden])
    # A way that leaves most at random, as all but one do with Chinese, is compared as it is.
    able = [made[rows] for *_, made, _ in ways if made[rows].mean() > 0.5]
    everywhere = np.logical_and.reduce(able) if able else np.zeros(len(rows), bool)
    pieces = [piece for piece, kept in zip(trial.hidden, everywhere, strict=True) if kept]
    for name, matrix, _, seconds in ways:
        row = {"setting": setting, "seed": seed, "compose": name}
        row |= {"held_out": len(trial.held_out), "pieces": len(pieces)}
        yield row | measure(trial, matrix, pieces) | {"seconds": seconds}


def summary(rows, measure):
    """Mean and spread over the draws, as text."""
    values = np.array([row[measure] for row in rows])
    if np.isnan(values).any():
        return "-"
    return (
        f"{values.mean():.3f}±{values.std(ddof=1):.3f}" if len(values) > 1 else f"{values[0]:.3f}"
    )


def write(rows, path):
    """Write all rows so far."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plot(rows, path):
    """Draw the cosines of every way, a panel a setting."""
    from matplotlib.figure import Figure

    settings = list(dict.fromkeys(row["setting"] for row in rows))
    figure = Figure(figsize=(4 + 3 * len(settings), 5), layout="constrained")
    panels = figure.subplots(1, len(settings), squeeze=False, sharex=True)[0]
    for axis, setting in zip(panels, settings, strict=True):
        of = [row for row in rows if row["setting"] == setting]
        names = list(dict.fromkeys(row["compose"] for row in of))
        for place, (measure, label) in enumerate(
            [("cosine", "held-out words"), ("piece_cosine", "hidden pieces")]
        ):
            drawn = [[row[measure] for row in of if row["compose"] == name] for name in names]
            axis.barh(
                np.arange(len(names)) + 0.4 * place - 0.2,
                [np.mean(values) for values in drawn],
                0.4,
                xerr=[np.std(values) for values in drawn],
                label=label,
            )
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set(xlabel="cosine with the true vector", title=setting)
        axis.grid(axis="x", alpha=0.3)
    panels[0].legend(fontsize="small")
    figure.savefig(path, dpi=120)


def main():
    """Run every setting asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS[:3]))
    parser.add_argument("--data", type=Path, help="development data, for tencent-chinese")
    parser.add_argument("--words", type=int, default=100_000, help="words of GloVe")
    parser.add_argument("--hide", type=int, default=1500, help="words and pieces to hide, each")
    parser.add_argument("--epochs", type=int, default=3, help="of fastText")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", action="store_true", help="also other least squares")
    arguments = parser.parse_args()
    if arguments.data is None and "tencent-chinese" in arguments.settings:
        parser.error("tencent-chinese needs --data, the folder of development data.")
    for name in ("words", "hide", "epochs"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1. Received: {getattr(arguments, name)}.")
    rows = []
    for setting in arguments.settings:
        for seed in arguments.seeds:
            rows += run(setting, arguments, seed)
            write(rows, arguments.output)
            print(f"{setting}, draw {seed}", file=sys.stderr, flush=True)
        drawn = [row for row in rows if row["setting"] == setting]
        print(f"\n{setting}\n{'compose':<28}", *(f"{name:>18}" for name in MEASURES))
        for name in dict.fromkeys(row["compose"] for row in drawn):
            of = [row for row in drawn if row["compose"] == name]
            print(f"{name:<28}", *(f"{summary(of, name):>18}" for name in MEASURES), flush=True)
    plot(rows, arguments.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
