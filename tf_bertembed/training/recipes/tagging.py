"""Labels on words: entities by seqeval, parts of speech by scikit-learn, the surest wrong tags."""

import itertools
from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks import TokenClassifier
from tf_bertembed.text import TaggingPreprocessor, marks_entities
from tf_bertembed.text.conll import is_universal, read_tagged, read_tagged_rows
from tf_bertembed.text.tag_schemes import OUTSIDE, complete_labels, to_bioes
from tf_bertembed.text.word_splitting import is_punctuation
from tf_bertembed.training.confusion import plot_confusion
from tf_bertembed.training.recipes.base import Examples, Recipe, Report

METRICS = ("f1", "precision", "recall", "accuracy", "macro_f1")
OF_ENTITIES = ("f1", "precision", "recall")


class TaggingRecipe(Recipe):
    """Tags words: named entities or parts of speech.

    Data files are CoNLL or CoNLL-U (see `text.read_tagged`). Where the tags
    are of entities, the metrics are `loss`, `f1`, `precision` and `recall` of
    whole entities, as seqeval counts them, and the `accuracy` of single tags;
    for others `loss`, `accuracy` and `macro_f1`.

    Args:
        metric: string. The metric by which the dev set chooses; `None` for
            `f1` of entities and `accuracy` of other tags.
        column: string. Which column of CoNLL-U holds the tag: `"upos"`, which
            `None` means, or `"xpos"`.

    Raises:
        BertEmbedError: where there is no such metric.

    Example:

    ```python
    from tf_bertembed.training import recipes

    with open("train.conll", "w") as file:
        file.write("Ada B-PER\\nwrote O\\n\\nIt O\\n")
    train = recipes.TaggingRecipe().read("train.conll")
    assert train.x == [["Ada", "wrote"], ["It"]] and train.targets[0] == ["B-PER", "O"]
    ```

    References:
        Nakayama, 2018, https://github.com/chakki-works/seqeval
    """

    name = "tagging"

    def __init__(self, metric=None, column=None):
        if metric is not None and metric not in METRICS:
            raise BertEmbedError(f"The metric must be one of {METRICS}. Received: {metric!r}.")
        self.metric = metric or "f1"
        self._chosen = metric is not None
        self.column = column
        self._trained_column = None

    def read_as(self, trained):
        """Take the tags of CoNLL-U from the column that was trained on."""
        self._trained_column = trained.get("column")

    def _column(self, path):
        return self.column or (self._trained_column if is_universal(path) else None)

    def read(self, path, labelled=True):
        """Read a data file; see `text.read_tagged`."""
        found = read_tagged_rows(path, self._column(path), labelled)
        return Examples((found.words,), found.tags, path, found.lines)

    def make(
        self,
        backbone,
        tokenizer,
        train,
        sequence_length,
        static_words=None,
        labels=None,
        dropout=0.1,
        split=None,
        overlap=None,
    ):
        """Make a `TokenClassifier` of the tags in the examples.

        Without `split`, texts are cut into words as those of the examples look:
        into characters where each word is one, around punctuation where a mark
        is a word of its own, and otherwise at white space.
        """
        preprocessor = TaggingPreprocessor(
            tokenizer,
            sequence_length,
            static_words,
            split=split or _split(train),
            overlap=overlap,
        )
        return TokenClassifier(backbone, labels or _labels(train), preprocessor, dropout)

    def options_for(self, examples):
        """Tags and cut, since a rare tag or mark may miss in a part of the rows."""
        return {"labels": _labels(examples), "split": _split(examples)}

    def check(self, train, dev=None):
        """Raise where there is one tag only, or where dev has others."""
        _require_tags(train)
        labels = _labels(train)
        if len(labels) < 2:
            raise train.fault(f"At least two tags must occur. Received: {labels[0]!r} only.")
        entities = marks_entities(labels)
        fitting = (*OF_ENTITIES, "accuracy") if entities else ("accuracy", "macro_f1")
        if not self._chosen:
            self.metric = fitting[0]
        elif self.metric not in fitting:
            raise train.fault(
                f"With tags {'of entities' if entities else 'that are not of entities'} the metric "
                f"must be one of {', '.join(fitting)}. Received: {self.metric!r}."
            )
        if dev is not None:
            self._check_fits(labels, dev)
        super().check(train, dev)

    def answers(self, task, examples, batch_size=32):
        """What `TokenClassifier.answer` gives."""
        return task.answer(examples.x, batch_size)

    def evaluate(self, task, examples, batch_size=32):
        """Metrics; see the class."""
        return _metrics(self._judge(task, examples, batch_size))

    def errors(self, task, examples, batch_size=32):
        """Words with a wrong tag, from the one that the task was surest of on."""
        return _errors(examples, self._judge(task, examples, batch_size))

    def plot(self, task, examples, folder, batch_size=32):
        """Draw the confusion matrix of tags that are not of entities."""
        return _plot(folder, self._judge(task, examples, batch_size))

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        """All of it from the probabilities that are computed once."""
        judged = self._judge(task, examples, batch_size)
        return Report(
            _metrics(judged),
            {"labels": _by_label(judged)},
            _errors(examples, judged) if errors else None,
            [] if folder is None else _plot(folder, judged),
        )

    def _check_fits(self, labels, examples):
        _require_tags(examples)
        known = set(labels)
        for place, tags in enumerate(examples.targets):
            strange = next((tag for tag in tags if tag not in known), None)
            if strange is None:
                continue
            if examples.path is not None:
                # Told with the line of the word.
                read_tagged(examples.path, self._column(examples.path), known=known)
            raise examples.fault(f"The tag {strange!r} is not among those of the training.", place)

    def _judge(self, task, examples, batch_size):
        self._check_fits(task.labels, examples)
        logits = task.predict(examples.x, batch_size=batch_size, verbose=0)
        lengths = [len(words) for words in examples.targets]
        logits = np.concatenate([row[:n] for row, n in zip(logits, lengths, strict=True)])
        logits = logits.astype("float64") - logits.max(axis=-1, keepdims=True)
        probabilities = np.exp(logits)
        probabilities /= probabilities.sum(axis=-1, keepdims=True)
        true = task.encode_labels(examples.targets).values.numpy()
        return Judged(task.labels, true, probabilities, lengths)


class Judged:
    """True tags and probabilities of all words, sentence after sentence.

    Args:
        labels: list of C strings.
        true: ints [M].
        probabilities: floats [M, C].
        lengths: list of ints. The words of each sentence.
    """

    def __init__(self, labels, true, probabilities, lengths):
        self.labels = labels
        self.true = true
        self.predicted = probabilities.argmax(axis=-1)
        words = np.arange(len(true))
        tiny = np.finfo("float32").tiny
        self.of_true = np.maximum(probabilities[words, true], tiny)
        self.of_predicted = probabilities[words, self.predicted]
        self.ends = np.cumsum(lengths)
        self.entities = marks_entities(labels)

    def sentences(self, numbers):
        """Tags as seqeval reads them, a list for each sentence."""
        names = [to_bioes(label) for label in self.labels]
        tags = [names[number] for number in numbers]
        begins = [0, *self.ends[:-1]]
        return [tags[begin:end] for begin, end in zip(begins, self.ends, strict=True)]


def _require_tags(examples):
    if examples.targets is None:
        raise examples.fault("Tags were expected: a column beside the words. Received: none.")


def _labels(examples):
    return complete_labels(examples.targets)


def _split(examples):
    words = set(itertools.chain.from_iterable(examples.inputs[0]))
    if all(len(word) == 1 for word in words):
        return "characters"
    return "punctuation" if any(map(is_punctuation, words)) else "whitespace"


def _metrics(judged):
    from sklearn.metrics import accuracy_score, f1_score

    found = {"loss": -np.log(judged.of_true).mean()}
    if judged.entities:
        found |= dict(zip(("precision", "recall", "f1"), _entity_scores(judged), strict=True))
    found["accuracy"] = accuracy_score(judged.true, judged.predicted)
    if not judged.entities:
        found["macro_f1"] = f1_score(
            judged.true, judged.predicted, average="macro", zero_division=0.0
        )
    return {name: float(value) for name, value in found.items()}


def _entity_scores(judged):
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    true, predicted = map(judged.sentences, (judged.true, judged.predicted))
    # Without a true or a predicted entity the sums are of nothing: zeros, and no warning.
    return precision_recall_fscore_support(true, predicted, average="micro", zero_division=0)[:3]


def _by_label(judged):
    """Precision, recall, F1 and number of each type of entity, or of each tag."""
    if judged.entities:
        from seqeval.metrics import classification_report

        true, predicted = map(judged.sentences, (judged.true, judged.predicted))
        if not any(tag != OUTSIDE for row in (*true, *predicted) for tag in row):
            return {}
        table = classification_report(true, predicted, output_dict=True, zero_division=0)
    else:
        from sklearn.metrics import classification_report

        numbers = np.union1d(judged.true, judged.predicted)
        table = classification_report(
            judged.true,
            judged.predicted,
            labels=numbers,
            target_names=[judged.labels[number] for number in numbers],
            output_dict=True,
            zero_division=0,
        )
    return {
        label: {
            "precision": float(row["precision"]),
            "recall": float(row["recall"]),
            "f1": float(row["f1-score"]),
            "count": int(row["support"]),
        }
        for label, row in table.items()
        if isinstance(row, dict) and not label.endswith(" avg")
    }


def _errors(examples, judged):
    wrong = np.flatnonzero(judged.true != judged.predicted)
    sentences = np.searchsorted(judged.ends, wrong, side="right")
    rows = []
    for place in np.argsort(-judged.of_predicted[wrong], kind="stable"):
        word, sentence = wrong[place], sentences[place]
        words = examples.inputs[0][sentence]
        position = int(word - judged.ends[sentence] + len(words))
        rows.append(
            {
                "text": " ".join(words),
                "position": position,
                "word": words[position],
                "label": judged.labels[judged.true[word]],
                "predicted": judged.labels[judged.predicted[word]],
                "probability": float(judged.of_predicted[word]),
                "probability_of_label": float(judged.of_true[word]),
            }
        )
    return rows


def _plot(folder, judged):
    if judged.entities:
        return []
    path = Path(folder) / "confusion_matrix.png"
    plot_confusion(judged.labels, judged.true, judged.predicted, path)
    return [path]
