"""Classes of texts and of pairs: metrics by scikit-learn, a confusion matrix, the worst answers."""

from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks import TextClassifier
from tf_bertembed.text import Preprocessor
from tf_bertembed.text.labelled import read_labelled_rows
from tf_bertembed.training.confusion import confusion_details, plot_confusion
from tf_bertembed.training.recipes.base import Examples, Recipe, Report

METRICS = ("accuracy", "macro_f1", "mcc", "f1")


class ClassificationRecipe(Recipe):
    """Classifies texts or pairs of texts.

    Data files have a column `label`, or `labels` for any number of them; the
    metrics are `loss`, `accuracy`, `macro_f1` and `mcc`, or for any number of
    labels `loss`, `accuracy` (all labels of a text are right), `f1` (over all
    labels together) and `macro_f1`.

    Args:
        metric: string. The metric by which the dev set chooses.
        class_weight: dict from names to weights, or `"balanced"`; see
            `tasks.TextClassifier.fit`. `None` where all examples weigh the
            same.

    Raises:
        BertEmbedError: where there is no such metric.

    Example:

    ```python
    from tf_bertembed.training import recipes

    with open("train.tsv", "w") as file:
        file.write("text\\tlabel\\nA match.\\tsport\\nA chip.\\ttech\\n")
    recipe = recipes.ClassificationRecipe(metric="macro_f1")
    assert recipe.read("train.tsv").targets == ["sport", "tech"]
    ```
    """

    name = "classification"

    def __init__(self, metric="accuracy", class_weight=None):
        if metric not in METRICS:
            raise BertEmbedError(f"The metric must be one of {METRICS}. Received: {metric!r}.")
        self.metric = metric
        self.class_weight = class_weight

    def read(self, path, labelled=True):
        """Read a data file; see `text.read_labelled`."""
        found = read_labelled_rows(path, labelled, ("label", "labels"))
        return Examples(found.texts, found.targets, path, found.lines)

    def make(
        self,
        backbone,
        tokenizer,
        train,
        sequence_length,
        static_words=None,
        labels=None,
        pooling="cls",
        dropout=0.1,
        threshold=0.5,
    ):
        """Make a `TextClassifier` of the labels in the examples, in the order of their names."""
        multi_label = _is_multi_label(train)
        return TextClassifier(
            backbone,
            labels or _labels(train),
            Preprocessor(tokenizer, sequence_length, static_words),
            pooling=pooling,
            dropout=dropout,
            pair=len(train.inputs) == 2,
            multi_label=multi_label,
            threshold=threshold,
        )

    def options_for(self, examples):
        """The labels, since a rare one may miss in a part of the rows."""
        return {"labels": _labels(examples)}

    def check(self, train, dev=None):
        """Raise where there is one class only, or where dev has other labels or columns."""
        if train.targets is None:
            raise train.fault("Labels were expected. Received: none.")
        labels, multi_label = _labels(train), _is_multi_label(train)
        if len(labels) < (1 if multi_label else 2):
            found = f"the label {labels[0]!r}" if labels else "no label"
            wanted = "one label" if multi_label else "two labels"
            raise train.fault(f"At least {wanted} must occur. Received: {found} in every row.")
        if self.metric == ("mcc" if multi_label else "f1"):
            fitting = [name for name in METRICS if name != self.metric]
            raise train.fault(
                f"With {'any number of labels' if multi_label else 'one label'} a text the metric "
                f"must be one of {', '.join(fitting)}. Received: {self.metric!r}."
            )
        if dev is not None:
            _check_fits(labels, len(train.inputs) == 2, multi_label, dev)
        super().check(train, dev)

    def fit_arguments(self, examples):
        """Texts, labels and class weights."""
        return {**super().fit_arguments(examples), "class_weight": self.class_weight}

    def answers(self, task, examples, batch_size=32):
        """What `TextClassifier.answer` gives."""
        _check_pair(bool(task.pair), examples)
        return task.answer(examples.x, batch_size)

    def evaluate(self, task, examples, batch_size=32):
        """Metrics; see the class."""
        return _metrics(*self._judge(task, examples, batch_size))

    def errors(self, task, examples, batch_size=32):
        """Wrong answers, the true label's probability from the smallest on."""
        return _errors(task, examples, *self._judge(task, examples, batch_size))

    def plot(self, task, examples, folder, batch_size=32):
        """Draw the confusion matrix, where there is one label a text."""
        return _plot(task, folder, *self._judge(task, examples, batch_size))

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        """All of it from the probabilities that are computed once."""
        judged = self._judge(task, examples, batch_size)
        return Report(
            _metrics(*judged),
            confusion_details(task.labels, *_answers(*judged)),
            _errors(task, examples, *judged) if errors else None,
            [] if folder is None else _plot(task, folder, *judged),
        )

    def _judge(self, task, examples, batch_size):
        """True answers and probabilities: class numbers `[N]`, or zeros and ones `[N, C]`."""
        _check_fits(task.labels, bool(task.pair), task.multi_label, examples)
        logits = task.predict(examples.x, batch_size=batch_size, verbose=0)
        true = task.encode_labels(examples.targets)
        return true, np.asarray(task.probabilities(logits), "float64"), task.threshold


def _is_multi_label(examples):
    return isinstance(examples.targets[0], (list, tuple))


def _labels(examples):
    if _is_multi_label(examples):
        return sorted({name for names in examples.targets for name in names})
    return sorted(set(examples.targets))


def _check_pair(pair, examples):
    if pair != (len(examples.inputs) == 2):
        columns = "`text_a` and `text_b`" if pair else "`text`"
        found = "`text`" if pair else "`text_a` and `text_b`"
        raise examples.fault(
            f"The classifier takes {'pairs, ' if pair else ''}{columns}. Received: {found}."
        )


def _check_fits(labels, pair, multi_label, examples):
    _check_pair(pair, examples)
    if examples.targets is None:
        raise examples.fault("Labels were expected: a column `label` or `labels`. Received: none.")
    if multi_label != _is_multi_label(examples):
        columns = ("`labels`", "`label`") if multi_label else ("`label`", "`labels`")
        raise examples.fault("The column {} was expected. Received: {}.".format(*columns))
    known = set(labels)
    for place, target in enumerate(examples.targets):
        strange = [name for name in (target if multi_label else [target]) if name not in known]
        if strange:
            more = "..." if len(labels) > 10 else ""
            raise examples.fault(
                f"The label {strange[0]!r} is not among those of the training: "
                f"{', '.join(labels[:10])}{more}.",
                place,
            )


def _answers(true, probabilities, threshold):
    if true.ndim == 2:
        return true, (probabilities >= np.float32(threshold)).astype("float32")
    return true, probabilities.argmax(axis=-1)


def _metrics(true, probabilities, threshold):
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    _, predicted = _answers(true, probabilities, threshold)
    found = {
        "loss": float(-_log_likelihood(true, probabilities).mean()),
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro", zero_division=0.0),
    }
    if true.ndim == 2:
        found["f1"] = f1_score(true, predicted, average="micro", zero_division=0.0)
    else:
        # Of one class alone it is 0, of which scikit-learn warns.
        several = np.union1d(true, predicted).size > 1
        found["mcc"] = matthews_corrcoef(true, predicted) if several else 0.0
    return {name: float(value) for name, value in found.items()}


def _log_likelihood(true, probabilities):
    # Of each label for itself, the mean over labels: what the loss of training is.
    tiny = np.finfo("float32").tiny
    if true.ndim == 2:
        return np.log(np.maximum(np.where(true > 0, probabilities, 1 - probabilities), tiny))
    return np.log(np.maximum(probabilities[np.arange(len(true)), true], tiny))


def _errors(task, examples, true, probabilities, threshold):
    _, predicted = _answers(true, probabilities, threshold)
    if true.ndim == 2:
        wrong = (true != predicted).any(axis=-1)
        of_label = np.exp(_log_likelihood(true, probabilities).sum(axis=-1))
        of_answer = np.exp(_log_likelihood(predicted, probabilities).sum(axis=-1))
    else:
        wrong = true != predicted
        rows = np.arange(len(true))
        of_label, of_answer = probabilities[rows, true], probabilities[rows, predicted]

    def names(row):
        if true.ndim == 1:
            return task.labels[row]
        return "|".join(task.labels[number] for number in np.flatnonzero(row))

    columns = task.text_inputs
    return [
        {
            **{name: text[place] for name, text in zip(columns, examples.inputs, strict=True)},
            "label": names(true[place]),
            "predicted": names(predicted[place]),
            "probability": float(of_answer[place]),
            "probability_of_label": float(of_label[place]),
        }
        for place in sorted(np.flatnonzero(wrong), key=lambda place: of_label[place])
    ]


def _plot(task, folder, true, probabilities, threshold):
    if true.ndim == 2:
        return []
    path = Path(folder) / "confusion_matrix.png"
    plot_confusion(task.labels, *_answers(true, probabilities, threshold), path)
    return [path]
