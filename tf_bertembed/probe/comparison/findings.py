"""What the estimates say: plain values for JSON, rows for a table, and sentences."""

import numpy as np

from tf_bertembed.probe.comparison.features import BERT, BOTH
from tf_bertembed.probe.comparison.splits import ALL


def as_values(names, estimates):
    """Put an `Estimates` into plain values, by the names of the methods."""
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]
    return {
        "scores": {
            name: {"score": float(score), "interval": interval.tolist()}
            for name, score, interval in zip(
                names, estimates.scores, estimates.intervals, strict=True
            )
        },
        "differences": [
            {
                "of": names[i],
                "less": names[j],
                "difference": float(estimates.differences[i, j]),
                "interval": estimates.single[i, j].tolist(),
                "joint_interval": estimates.joint[i, j].tolist(),
            }
            for i, j in pairs
        ],
    }


def lead(metric, first, second):
    """How far one method is before another: the difference and its joint interval."""
    for pair in metric["differences"]:
        if (pair["of"], pair["less"]) == (first, second):
            return pair["difference"], pair["joint_interval"]
        if (pair["of"], pair["less"]) == (second, first):
            low, high = pair["joint_interval"]
            # Taken from 0, so that no 0 becomes -0.
            return 0.0 - pair["difference"], [0.0 - high, 0.0 - low]
    raise KeyError((first, second))


def best_of(metric):
    """The method of the highest score; of equals the first."""
    scores = {name: found["score"] for name, found in metric["scores"].items()}
    return max(scores, key=scores.get)


def is_noise(interval):
    """Whether an interval of a difference holds no difference at all."""
    low, high = interval
    return low <= 0 <= high


def sentences(budget):
    """Say which method is best at one budget, and whether that is more than noise.

    Args:
        budget: dict of one budget, as in the report.

    Returns:
        A string.
    """
    accuracy = budget["metrics"]["accuracy"]
    best = best_of(accuracy)
    found = [
        f"{_labels(budget)}, {best} is best: accuracy {accuracy['scores'][best]['score']:.3f}."
    ]
    clear, unclear = [], []
    for name in sorted(accuracy["scores"], key=lambda one: -accuracy["scores"][one]["score"]):
        if name != best:
            difference, interval = lead(accuracy, best, name)
            (unclear if is_noise(interval) else clear).append(
                f"{name} ({_signed(difference, interval)})"
            )
    if clear:
        found.append(f"It is better by more than noise than {_listed(clear)}.")
    if unclear:
        found.append(f"Its lead over {_listed(unclear)} may be noise.")
    by_f1 = best_of(budget["metrics"]["macro_f1"])
    if by_f1 != best:
        found.append(f"By macro F1 the best is {by_f1}.")
    if {BERT, BOTH} <= {*accuracy["scores"]}:
        difference, interval = lead(accuracy, BOTH, BERT)
        change = "may be noise" if is_noise(interval) else "is more than noise"
        found.append(f"What word vectors add to BERT ({_signed(difference, interval)}) {change}.")
    return " ".join(found)


def _labels(budget):
    if budget["budget"] == ALL:
        return f"With all {budget['labelled_rows']} labels"
    return f"With {budget['budget']} labels a class"


def _signed(difference, interval):
    low, high = interval
    return f"{difference:+.3f}, from {low:+.3f} to {high:+.3f}"


def _listed(parts):
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def table_rows(report):
    """The report as rows of a table, a dict each: a method at a budget."""
    for budget in report["budgets"]:
        accuracy = budget["metrics"]["accuracy"]
        best = best_of(accuracy)
        for name in accuracy["scores"]:
            row = {"method": name}
            row.update({key: budget[key] for key in ("budget", "labelled_rows", "probes")})
            for metric, values in budget["metrics"].items():
                row[metric] = values["scores"][name]["score"]
                row[f"{metric}_low"], row[f"{metric}_high"] = values["scores"][name]["interval"]
            difference, interval = (0.0, [0.0, 0.0]) if name == best else lead(accuracy, name, best)
            row["to_best"] = difference
            row["to_best_low"], row["to_best_high"] = interval
            row["may_be_noise"] = "yes" if is_noise(interval) else "no"
            yield {
                key: round(value, 6) if isinstance(value, float) else value
                for key, value in row.items()
            }


def readable(report):
    """The report as lines for a person: accuracies by method and budget, and what they say."""
    names = [method["name"] for method in report["methods"]]
    columns = [["accuracy", *names]]
    for budget in report["budgets"]:
        scores = budget["metrics"]["accuracy"]["scores"]
        head = "all" if budget["budget"] == ALL else f"{budget['budget']} a class"
        cells = [
            "{:.3f} [{:.3f}, {:.3f}]".format(scores[name]["score"], *scores[name]["interval"])
            for name in names
        ]
        columns.append([head, *cells])
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    if report["layers"] is not None:
        scores = report["layers"]["metrics"]["accuracy"]["scores"]
        lines += ["", "accuracy by layer"]
        lines += [
            "{}  {:.3f} [{:.3f}, {:.3f}]".format(name, found["score"], *found["interval"])
            for name, found in scores.items()
        ]
    return [*lines, "", *report["verdict"], *(f"Note: {note}" for note in report["notes"])]


def mean_rows(draws):
    """How many rows a probe learns from, the mean over draws, a whole number."""
    return int(np.rint(np.mean([len(draw.rows) for draw in draws])))
