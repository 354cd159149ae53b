"""The course of a training, as a table and as a picture."""

import csv
from itertools import zip_longest

from tf_bertembed.common import BertEmbedError


def save_history(history, path):
    """Write a history as CSV, a row an epoch; shorter columns end in blanks.

    Args:
        history: dict of lists, one number an epoch, as
            `keras.callbacks.History.history` holds them.
        path: string or `pathlib.Path`. The file to write.

    Raises:
        BertEmbedError: where the history is empty.

    Example:

    ```python
    from tf_bertembed import training

    training.save_history({"loss": [0.7, 0.5]}, "history.csv")
    assert open("history.csv").read().split() == ["epoch,loss", "1,0.7", "2,0.5"]
    ```
    """
    if not history:
        raise BertEmbedError("There is no history to write: train for at least one epoch.")
    names = list(history)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *names])
        # Validation may come only every few epochs: its columns end earlier.
        for epoch, row in enumerate(zip_longest(*history.values(), fillvalue=""), start=1):
            writer.writerow([epoch, *row])


def plot_history(history, path, best_epoch=None):
    """Draw a history: losses on the left, other metrics on the right.

    A metric and the same one of the dev set (`val_…`) share a colour.

    Args:
        history: dict of lists, one number an epoch.
        path: string or `pathlib.Path`. The image to write; its ending
            chooses the format.
        best_epoch: int. The epoch to mark, counted from 1; `None` for none.

    Raises:
        BertEmbedError: where the history is empty.

    Example:

    ```python
    import os
    from tf_bertembed import training

    training.plot_history({"loss": [0.7, 0.5], "accuracy": [0.5, 0.8]}, "history.png")
    assert os.path.getsize("history.png") > 0
    ```
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not history:
        raise BertEmbedError("There is no history to draw: train for at least one epoch.")
    groups = {
        "loss": [name for name in history if name.endswith(("loss", "crossentropy"))],
        "metric": [name for name in history if not name.endswith(("loss", "crossentropy"))],
    }
    groups = {label: names for label, names in groups.items() if names}
    figure = Figure(figsize=(5 * len(groups), 3.5), layout="constrained")
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for axis, (label, names) in zip(axes, groups.items(), strict=True):
        colours = {}
        for name in names:
            plain = name.removeprefix("val_")
            colour = colours.setdefault(plain, f"C{len(colours)}")
            values = history[name]
            axis.plot(
                range(1, len(values) + 1),
                values,
                color=colour,
                linestyle="-" if name == plain else "--",
                marker="o",
                markersize=3,
                label=name,
            )
        if best_epoch is not None:
            axis.axvline(best_epoch, color="grey", linestyle=":", label="best epoch")
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)
