"""Which classes were taken for which others, as numbers and as a picture."""

import numpy as np

from tf_bertembed.vectors.evaluation import map_labels

# More would be neither read in JSON nor seen in a picture.
MOST_CLASSES_IN_JSON = 20
MOST_NUMBERS_DRAWN = 15


def confusion_details(labels, true, predicted):
    """Precision, recall and F1 of each class, and the confusion matrix where it is small.

    Args:
        labels: list of C strings, the names.
        true: int array `[N]`, or zeros and ones `[N, C]`.
        predicted: array as `true`.

    Returns:
        A dict that JSON can hold: `classes`, a dict from names to dicts, and
        for one class a text and few classes `confusion_matrix`, rows true.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    numbers = np.arange(len(labels))
    scores = precision_recall_fscore_support(true, predicted, labels=numbers, zero_division=0.0)
    columns = ("precision", "recall", "f1", "count")
    details = {
        "classes": {
            name: dict(zip(columns, (*map(float, row[:3]), int(row[3])), strict=True))
            for name, *row in zip(labels, *scores, strict=True)
        }
    }
    if true.ndim == 1 and len(labels) <= MOST_CLASSES_IN_JSON:
        counts = confusion_matrix(true, predicted, labels=numbers)
        details["confusion_matrix"] = {"labels": list(labels), "counts": counts.tolist()}
    return details


def plot_confusion(labels, true, predicted, path):
    """Draw a confusion matrix: shares of each true class as colour, counts as numbers.

    Args:
        labels: list of C strings, the names.
        true: int array `[N]`.
        predicted: int array `[N]`.
        path: string or `pathlib.Path`. The image to write.
    """
    from matplotlib.figure import Figure
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(true, predicted, labels=np.arange(len(labels)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(2.5 + 0.5 * len(labels), 14)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    figure.colorbar(image, ax=axis, label="share of the true class")
    short = [name if len(name) <= 20 else f"{name[:19]}…" for name in labels]
    names, fonts = map_labels.choose(short)
    ticks = range(len(names))
    axis.set_xticks(ticks, names, rotation=45, ha="right", rotation_mode="anchor", fontfamily=fonts)
    axis.set_yticks(ticks, names, fontfamily=fonts)
    told = "" if names == short else "\n(a number: of a label in task.json that no font here has)"
    axis.set(xlabel=f"predicted{told}", ylabel="true")
    if len(labels) <= MOST_NUMBERS_DRAWN:
        for (row, column), count in np.ndenumerate(counts):
            shade = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, str(count), ha="center", va="center", color=shade)
    figure.savefig(path, dpi=120)
