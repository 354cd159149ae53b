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


def plot_history(history, path):
    """Draw a history: losses on the left, other metrics on the right.

    Args:
        history: dict of lists, one number an epoch.
        path: string or `pathlib.Path`. The image to write; its ending
            chooses the format.

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
        for name in names:
            values = history[name]
            axis.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=name)
        axis.set(xlabel="epoch", ylabel=label)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)
