"""The texts and labels of a comparison, from the user's files."""

import dataclasses

import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.text.labelled import read_labelled_rows


@dataclasses.dataclass(frozen=True)
class LabelledData:
    """All rows, those of the test file after the others.

    Args:
        texts: tuple of one list of N strings, or of two for pairs.
        labels: int array `[N]`, places in `classes`.
        classes: list of strings, sorted.
        train_rows: int. How many rows come from the training file.
        repeated: int. The rows of the test file whose text stands in the
            training file too; without a test file, the rows whose text stands
            in a row before.
    """

    texts: tuple
    labels: np.ndarray
    classes: list
    train_rows: int
    repeated: int

    @property
    def has_test(self):
        """Whether a test file was given."""
        return self.train_rows < len(self.labels)

    def smallest(self):
        """The class of the fewest rows for training, and how many these are."""
        counts = np.bincount(self.labels[: self.train_rows], minlength=len(self.classes))
        return self.classes[counts.argmin()], int(counts.min())


def read_data(train, test=None):
    """Read a training file, and a test file where there is one.

    Args:
        train: string or `pathlib.Path`. As for `text.read_labelled`, with a
            column `label`.
        test: string or `pathlib.Path`, likewise; `None` for none.

    Returns:
        A `LabelledData`.

    Raises:
        MissingFileError: where a file is missing.
        FileFormatError: where it does not hold what it should, has one class
            only, or the test file one that the other lacks.
    """
    first = read_labelled_rows(train, targets=("label",))
    classes = sorted(set(first.targets))
    if len(classes) < 2:
        raise FileFormatError(
            train, f"2 labels or more were expected. Received: only {classes[0]!r}."
        )
    texts, targets, seen = first.texts, first.targets, set(zip(*first.texts, strict=True))
    repeated = len(targets) - len(seen)
    if test is not None:
        second = read_labelled_rows(test, targets=("label",))
        if len(second.texts) != len(texts):
            raise BertEmbedError(
                f"One of {train} and {test} holds pairs of texts, the other single texts."
            )
        for line, label in zip(second.lines, second.targets, strict=True):
            if label not in set(classes):
                raise FileFormatError(
                    test, f"No row of {train} has the label {label!r}, so none can learn it.", line
                )
        repeated = sum(row in seen for row in zip(*second.texts, strict=True))
        texts = tuple([*a, *b] for a, b in zip(texts, second.texts, strict=True))
        targets = [*targets, *second.targets]
    codes = {label: place for place, label in enumerate(classes)}
    labels = np.array([codes[label] for label in targets])
    return LabelledData(texts, labels, classes, len(first.targets), repeated)
