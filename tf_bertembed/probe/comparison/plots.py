"""Scores by the number of labels, and by layer."""

import numpy as np

from tf_bertembed.probe.comparison.splits import ALL

TITLES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
MARKERS = "osD^vPX*<>"
# Budgets stand 1 apart; methods at a budget share this much, so that intervals lie side by side.
SPREAD = 0.36


def plot_budgets(report, path):
    """Draw each method's scores by budget, with 95% intervals.

    Args:
        report: dict, as `compare` returns it.
        path: `pathlib.Path`. The PNG file to write.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    names = [method["name"] for method in report["methods"]]
    budgets = report["budgets"]
    colors = colormaps["tab10"].colors
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    panels = figure.subplots(1, len(TITLES))
    for panel, (metric, title) in zip(panels, TITLES.items(), strict=True):
        for place, name in enumerate(names):
            found = [budget["metrics"][metric]["scores"][name] for budget in budgets]
            shift = SPREAD * (place / max(1, len(names) - 1) - 0.5)
            _line(
                panel,
                np.arange(len(budgets)) + shift,
                found,
                marker=MARKERS[place % len(MARKERS)],
                color=colors[place % len(colors)],
                label=name,
            )
        panel.set_xticks(
            range(len(budgets)),
            [
                f"all ({budget['labelled_rows']})" if budget["budget"] == ALL else budget["budget"]
                for budget in budgets
            ],
        )
        panel.set(xlabel="labels a class", ylabel=title)
        panel.grid(axis="y", alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(names)))
    figure.suptitle("Logistic regression on each kind of features, 95% intervals", fontsize=11)
    figure.savefig(path, dpi=130)


def plot_layers(layers, path):
    """Draw the scores of each layer.

    Args:
        layers: dict, `layers` of what `compare` returns.
        path: `pathlib.Path`. The PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    panel = figure.subplots()
    for (metric, title), marker in zip(TITLES.items(), MARKERS, strict=False):
        found = list(layers["metrics"][metric]["scores"].values())
        shift = 0.06 if metric == "macro_f1" else -0.06
        _line(panel, np.arange(len(found)) + shift, found, marker=marker, label=title)
    panel.set_xticks(range(len(found)), ["embeddings", *range(1, len(found))])
    panel.set(xlabel="layer", title="Logistic regression on each layer, 95% intervals")
    panel.grid(axis="y", alpha=0.3)
    panel.legend()
    figure.savefig(path, dpi=130)


def _line(panel, x, found, **style):
    scores = np.array([one["score"] for one in found])
    intervals = np.array([one["interval"] for one in found]).T
    # A percentile interval may leave its own score outside.
    reach = np.maximum([scores - intervals[0], intervals[1] - scores], 0)
    panel.errorbar(
        x, scores, reach, markersize=5, linewidth=1.3, elinewidth=1, capsize=2.5, **style
    )
