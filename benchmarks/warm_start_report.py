"""What `warm_start.py` has found so far: its runs read back, a table and a plot.

python benchmarks/warm_start_report.py build/warm_start
"""

import csv
import sys
from pathlib import Path

import numpy as np
from kept_runs import KeptRuns
from warm_start_runs import Run


def passing_step(losses, goal):
    """The step at which a curve goes below a loss, between two measures on a straight line."""
    before = None
    for step, loss in losses:
        if loss <= goal:
            if before is None:
                return step
            last, above = before
            return last + (step - last) * (above - goal) / (above - loss)
        before = step, loss
    return None


def recipes(losses):
    """For each cell and start its best recipe's runs, a list for the seeds."""
    found = {}
    for run in losses:
        found.setdefault((*run.cell, run.steps), {}).setdefault(run.name, []).append(run)
    for starts in found.values():
        for name, runs in starts.items():
            best = min((run for run in runs if run.seed == 0), key=lambda run: losses[run][-1][1])
            same = (best.learning_rate, best.warmup)
            starts[name] = [run for run in runs if (run.learning_rate, run.warmup) == same]
    return found


def rows(losses):
    """The summary, one row a cell and start."""
    for cell, starts in recipes(losses).items():
        if "cold" not in starts:
            continue
        cold = np.mean([losses[run][-1][1] for run in starts["cold"]])
        for name, runs in starts.items():
            final = [losses[run][-1][1] for run in runs]
            # A start is only held against the cold runs' mean by the mean of its own curves.
            mean = np.mean([losses[run] for run in runs], axis=0)
            passed = passing_step(mean, cold)
            yield {
                "corpus": cell[0],
                "norm": cell[1],
                "head": cell[2],
                "start": name,
                "learning_rate": runs[0].learning_rate,
                "warmup": runs[0].warmup,
                "seeds": len(runs),
                "loss": f"{np.mean(final):.3f}",
                "deviation": f"{np.std(final, ddof=1):.3f}" if len(runs) > 1 else "",
                "steps": cell[3],
                "passes_cold_at": "" if passed is None else f"{passed:.0f}",
                "share_of_steps": "" if passed is None else f"{passed / cell[3]:.2f}",
            }


def write(losses, folder):
    """Write and print the summary; draw the curves of each cell."""
    found = list(rows(losses))
    with (folder / "summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)
    widths = {key: max(len(key), *(len(str(row[key])) for row in found)) for key in found[0]}
    print(" ".join(f"{key:>{width}}" for key, width in widths.items()))
    for row in found:
        print(" ".join(f"{row[key]!s:>{width}}" for key, width in widths.items()))
    _draw(losses, folder / "curves.png")


def _draw(losses, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    cells = recipes(losses)
    columns = min(4, len(cells))
    lines = -(-len(cells) // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(4.2 * columns, 3.4 * lines), squeeze=False, sharex=False
    )
    for axis in axes.flat[len(cells) :]:
        axis.remove()
    for axis, (cell, starts) in zip(axes.flat, cells.items(), strict=False):
        for name, runs in starts.items():
            steps = [step for step, _ in losses[runs[0]]]
            curves = np.array([losses[run] for run in runs])[..., 1]
            style = {"color": "black", "linewidth": 2} if name == "cold" else {}
            (line,) = axis.plot(steps, curves.mean(axis=0), label=name, **style)
            if len(runs) > 1:
                low, high = curves.min(axis=0), curves.max(axis=0)
                axis.fill_between(steps, low, high, color=line.get_color(), alpha=0.2)
        axis.set_title(", ".join(map(str, cell[:3])), fontsize=9)
        axis.set_xlabel("step")
        axis.set_ylabel("dev loss, nats")
        axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write(KeptRuns(folder / "runs.csv", Run).results, folder)
