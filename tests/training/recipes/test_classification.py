import json

import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks, text
from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.training.confusion import confusion_details, plot_confusion
from tf_bertembed.training.recipes import ClassificationRecipe, Examples

WORDS = ["good", "bad", "long", "short"]


class Foretold(tasks.TextClassifier):
    """A classifier whose logits are given for each text."""

    def foretell(self, logits):
        self.foretold = logits
        return self

    def predict(self, x, batch_size=None, **kwargs):
        return np.array([self.foretold[text_] for text_ in x], "float32")


@pytest.fixture(scope="module")
def make_task():
    def make(labels, cls=tasks.TextClassifier, **arguments):
        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, *WORDS])
        keras.utils.set_random_seed(0)
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        return cls(backbone, labels, text.Preprocessor(tokenizer, 16), **arguments)

    return make


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_metrics_and_errors_of_one_label_a_text(make_task, tmp_path):
    task = make_task(["a", "b", "c"], Foretold)
    shares = {"t1": [0.7, 0.2, 0.1], "t2": [0.1, 0.3, 0.6], "t3": [0.5, 0.1, 0.4]}
    shares |= {"t4": [0.2, 0.5, 0.3], "t5": [0.2, 0.5, 0.3]}
    task.foretell({name: np.log(row) for name, row in shares.items()})
    examples = Examples((list(shares),), ["a", "b", "c", "b", "a"])
    report = ClassificationRecipe().report(task, examples, tmp_path, errors=True)
    # By hand: right are t1 and t4; F1 of a is 2/4, of b 2/4, of c 0.
    assert report.metrics["accuracy"] == pytest.approx(2 / 5)
    assert report.metrics["macro_f1"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert report.metrics["loss"] == pytest.approx(-np.log([0.7, 0.3, 0.4, 0.5, 0.2]).mean())
    # Gorodkin's formula over the confusion matrix.
    assert report.metrics["mcc"] == pytest.approx((2 * 5 - 9) / np.sqrt((25 - 9) * (25 - 9)))
    assert [row["text"] for row in report.errors] == ["t5", "t2", "t3"]
    assert report.errors[0]["label"] == "a"
    assert report.errors[0]["predicted"] == "b"
    assert report.errors[0]["probability"] == pytest.approx(0.5)
    assert report.errors[0]["probability_of_label"] == pytest.approx(0.2)
    matrix = report.details["confusion_matrix"]
    assert matrix == {"labels": ["a", "b", "c"], "counts": [[1, 1, 0], [0, 1, 1], [1, 0, 0]]}
    assert report.details["classes"]["a"]["count"] == 2
    (plot,) = report.plots
    assert plot.read_bytes().startswith(b"\x89PNG")
    json.dumps([report.metrics, report.details, report.errors])
    recipe = ClassificationRecipe()
    assert recipe.evaluate(task, examples) == report.metrics
    assert recipe.errors(task, examples) == report.errors


def test_metrics_and_errors_of_several_labels_a_text(make_task, tmp_path):
    task = make_task(["a", "b"], Foretold, multi_label=True, threshold=0.4)
    shares = {"t1": [0.9, 0.45], "t2": [0.1, 0.2], "t3": [0.3, 0.9], "t4": [0.6, 0.1]}
    task.foretell({name: np.log(row) - np.log1p(-np.array(row)) for name, row in shares.items()})
    examples = Examples((list(shares),), [["b", "a"], [], ["a"], ["a", "b"]])
    report = ClassificationRecipe().report(task, examples, tmp_path, errors=True)
    assert report.metrics["accuracy"] == pytest.approx(1 / 2)
    # Three of five true labels are found, with one that is wrong.
    assert report.metrics["f1"] == pytest.approx(2 * 3 / (5 + 4))
    assert report.metrics["macro_f1"] == pytest.approx((2 * 2 / (3 + 2) + 2 * 1 / (2 + 2)) / 2)
    right = [0.9, 0.45, 0.9, 0.8, 0.3, 0.1, 0.6, 0.1]
    assert report.metrics["loss"] == pytest.approx(-np.log(right).mean(), rel=1e-5)
    assert [row["text"] for row in report.errors] == ["t3", "t4"]
    assert report.errors[1]["label"] == "a|b"
    assert report.errors[1]["predicted"] == "a"
    assert report.errors[1]["probability"] == pytest.approx(0.6 * 0.9)
    assert report.errors[0]["probability_of_label"] == pytest.approx(0.3 * 0.1)
    assert report.plots == []
    assert "confusion_matrix" not in report.details


@pytest.mark.usefixtures("eagerly")
def test_answers_of_pairs(make_task):
    task = make_task(["no", "yes"], pair=True)
    examples = Examples((["good", "bad"], ["long", "short"]), ["yes", "no"])
    recipe = ClassificationRecipe()
    answers = recipe.answers(task, examples)
    assert answers == task.answer((["good", "bad"], ["long", "short"]))
    errors = recipe.errors(task, Examples(examples.inputs, ["no", "no"]))
    assert all(list(row)[:2] == ["text_a", "text_b"] for row in errors)
    with pytest.raises(BertEmbedError, match="takes pairs, `text_a` and `text_b`"):
        recipe.answers(task, Examples((["good"],)))


TRAIN = "text\tlabel\na\tx\nb\ty\n"
BAD = {
    "one class": ("text\tlabel\na\tx\nb\tx\n", None, r"train.tsv: .*the label 'x' in every row"),
    "no label anywhere": ("text\tlabels\na\t\nb\t\n", None, "At least one label must occur"),
    "a score": ("text\tscore\na\t1\n", None, "line 1: The column `label` or `labels` is missing"),
    "an empty text": ("text\tlabel\na\tx\n \ty\n", None, "train.tsv, line 3: `text` must be"),
    "an unknown label": (TRAIN, "text\tlabel\nc\tx\nd\tz\n", r"dev.tsv, line 3: The label 'z'"),
    "pairs in dev": (TRAIN, "text_a\ttext_b\tlabel\nc\td\tx\n", "dev.tsv: .* takes `text`. R"),
    "labels in dev": (TRAIN, "text\tlabels\nc\tx\n", "The column `label` was expected"),
}


@pytest.mark.parametrize("name", BAD)
def test_data_that_cannot_be_trained_on(name, write):
    recipe = ClassificationRecipe()
    train, dev, message = BAD[name]
    paths = [write(f"{n}.tsv", c) for n, c in (("train", train), ("dev", dev)) if c]
    with pytest.raises(FileFormatError, match=message):
        recipe.check(*map(recipe.read, paths))


def test_rows_of_train_that_stand_in_dev_are_counted(write):
    recipe = ClassificationRecipe()
    train = recipe.read(write("train.tsv", TRAIN))
    dev = recipe.read(write("dev.tsv", "text\tlabel\nb\tx\nc\ty\na\tx\n"))
    with pytest.warns(UserWarning, match=r"2 of 3 rows of .*dev.tsv stand in .*train.tsv too"):
        recipe.check(train, dev)


def test_a_metric_that_does_not_fit(write):
    with pytest.raises(BertEmbedError, match=r"must be one of .* Received: 'bleu'"):
        ClassificationRecipe(metric="bleu")
    recipe = ClassificationRecipe(metric="f1")
    with pytest.raises(BertEmbedError, match=r"accuracy, macro_f1, mcc. Received: 'f1'"):
        recipe.check(recipe.read(write("train.tsv", TRAIN)))


def test_a_large_confusion_matrix_is_drawn_and_not_written(tmp_path):
    labels = [f"类别 {number}" for number in range(30)]
    true = np.arange(30)
    assert "confusion_matrix" not in confusion_details(labels, true, true)
    plot_confusion(labels, true, np.roll(true, 1), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
