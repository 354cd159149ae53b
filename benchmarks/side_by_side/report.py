"""The finished cells as tables."""

import csv
import dataclasses

import numpy as np

from side_by_side.plan import OURS, THEIRS


def _values(results, name, **wanted):
    return [
        result[name]
        for cell, result in results.items()
        if all(getattr(cell, key) == value for key, value in wanted.items())
    ]


def _mean(values):
    return f"{np.mean(values):.4f}" if values else ""


def _spread(values):
    return f"{np.std(values, ddof=1):.4f}" if len(values) > 1 else ""


def _holds(ours, theirs):
    """Whether our mean is no worse than theirs by more than one deviation of theirs."""
    if len(theirs) < 2 or not ours:
        return ""
    return "yes" if np.mean(ours) >= np.mean(theirs) - np.std(theirs, ddof=1) else "no"


def _of_theirs(results, name, chosen):
    """The median over seeds of what the chosen cells took over what theirs did."""
    pairs = {dataclasses.replace(cell, side=THEIRS, form="none"): cell for cell in chosen}
    shares = [
        results[cell][name] / results[their][name]
        for their, cell in pairs.items()
        if their in results
    ]
    return f"{np.median(shares):.2f}" if shares else ""


def rows(results):
    """A row for each data set, weights, number of labels, side and form."""
    keys = dict.fromkeys(
        (cell.data, cell.weights, cell.per_class, cell.side, cell.form) for cell in results
    )
    for data, weights, per_class, side, form in keys:
        same = {"data": data, "weights": weights, "per_class": per_class}
        scores = _values(results, "score", **same, side=side, form=form)
        alone = _values(results, "score", **same, side=OURS, form="none")
        their_scores = _values(results, "score", **same, side=THEIRS)
        seconds = _values(results, "seconds", **same, side=side, form=form)
        chosen = [
            cell
            for cell in results
            if (cell.data, cell.weights, cell.per_class, cell.side, cell.form)
            == (data, weights, per_class, side, form)
        ]
        yield {
            **same,
            "side": side,
            "form": form,
            "seeds": len(scores),
            "score": _mean(scores),
            "deviation": _spread(scores),
            "gain": f"{100 * (np.mean(scores) - np.mean(alone)):+.2f}"
            if alone and form != "none"
            else "",
            "holds": _holds(scores, their_scores) if (side, form) == (OURS, "none") else "",
            "seconds": f"{np.median(seconds):.1f}",
            "of_theirs": _of_theirs(results, "seconds", chosen),
            "cpu_of_theirs": _of_theirs(results, "cpu_seconds", chosen),
        }


def write(results, folder):
    """Write `table.csv` and print it."""
    found = list(rows(results))
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)
    for row in found:
        print(*row.values(), sep="\t")
