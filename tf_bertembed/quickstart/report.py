"""What the demo shows at its end: two plots and one table."""

import numpy as np


def plot_starts(starts, path):
    """Draw the dev losses of the cold and the warm start."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    for name, losses in starts.curves.items():
        axis.plot(starts.steps, losses, marker="o", markersize=3, label=f"{name} start")
    axis.set(
        xlabel="step",
        ylabel="dev loss of masked pieces (nats)",
        title="Pretraining from random and from GloVe",
    )
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)


def plot_probes(results, path):
    """Draw the probes' accuracies, with the spread over seeds."""
    from matplotlib.figure import Figure

    names, budgets = list(results), list(next(iter(results.values())))
    width = 0.8 / len(budgets)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for place, budget in enumerate(budgets):
        scores = [results[name][budget] for name in names]
        axis.bar(
            np.arange(len(names)) + (place - (len(budgets) - 1) / 2) * width,
            [np.mean(score) for score in scores],
            width,
            yerr=[np.std(score) for score in scores] if len(scores[0]) > 1 else None,
            capsize=3,
            label=f"{budget} examples a class" if budget != "all" else "all examples",
        )
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="accuracy on held-out articles", title="Logistic regression on features")
    axis.set_ylim(0.0, 1.0)
    axis.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(budgets))
    figure.savefig(path, dpi=120)


def print_table(results):
    """Print every result of the demo as one table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="tf_bertembed quickstart")
    for column in ("part", "what", "measure", "value"):
        table.add_column(column, justify="right" if column == "value" else "left")

    def add(*cells):
        table.add_row(*map(str, cells))

    curves = results["pretraining"]["curves"]
    steps = results["pretraining"]["steps"]
    for name, losses in curves.items():
        add("pretraining", f"{name} start", f"dev loss, step {steps[-1]}", f"{losses[-1]:.3f}")
    for name, metrics in results["fine_tuning"].items():
        for measure, value in metrics.items():
            add("fine-tuning", name, measure, f"{value:.3f}")
    for name, budgets in results["probe"].items():
        for budget, scores in budgets.items():
            spread = f" ± {np.std(scores):.3f}" if len(scores) > 1 else ""
            measure = f"accuracy, {budget} a class" if budget != "all" else "accuracy, all"
            add("probe", name, measure, f"{np.mean(scores):.3f}{spread}")
    difference = f"{results['export']['difference']:.1e}"
    add("export", results["export"]["path"], "largest difference", difference)
    add("export", results["export"]["path"], "verified", "yes" if results["export"]["ok"] else "NO")
    # Wide enough for a path where the output is no terminal.
    Console(width=None if Console().is_terminal else 120).print(table)
