"""What a kind of task has to say for itself, from a data file to metrics."""

import abc
import dataclasses
import warnings


@dataclasses.dataclass(frozen=True)
class Examples:
    """The rows of a data file, in columns.

    Args:
        inputs: tuple of lists of N items. One list, or two for pairs.
        targets: list of N items; `None` where the file has no labels.
        path: string or `pathlib.Path`. Where they come from; `None` for elsewhere.

    Example:

    ```python
    from tf_bertembed.training.recipes.base import Examples

    examples = Examples((["a film", "a chip", "a match"],), ["film", "tech", "sport"])
    assert len(examples) == 3 and examples.rows([2, 0]).targets == ["sport", "film"]
    ```
    """

    inputs: tuple
    targets: list | None = None
    path: object = None

    def __len__(self):
        return len(self.inputs[0])

    @property
    def x(self):
        """What `fit` and `predict` take: a list, or a tuple of two for pairs."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    def rows(self, places):
        """Some of the rows, by their places, in that order."""
        inputs = tuple([column[place] for place in places] for column in self.inputs)
        targets = None if self.targets is None else [self.targets[place] for place in places]
        return Examples(inputs, targets, self.path)


class Recipe(abc.ABC):
    """How one kind of task is made, fitted by `model.fit`, judged and asked.

    Attributes:
        name: string. The kind of task, as the command line calls it.
        metric: string. The metric by which the dev set chooses; larger is better.
    """

    name: str
    metric: str

    @abc.abstractmethod
    def read(self, path, labelled=True):
        """Read a data file; answer `Examples`."""

    @abc.abstractmethod
    def make(self, backbone, tokenizer, train, sequence_length, static_words=None, **options):
        """Make the task for the examples to train on; `options` are the task's own arguments."""

    def check(self, train, dev=None):
        """Raise where examples cannot be trained on; warn of what is doubtful."""
        if dev is None:
            return
        known = set(map(repr, zip(*train.inputs, strict=True)))
        shared = sum(repr(row) in known for row in zip(*dev.inputs, strict=True))
        if shared:
            warnings.warn(
                f"{shared} of {len(dev)} rows of {dev.path or 'the dev set'} stand in "
                f"{train.path or 'the training set'} too: the metrics will flatter the model.",
                stacklevel=2,
            )

    def fit_arguments(self, examples):
        """The `x` and `y` of `task.fit`, as a dict."""
        return {"x": examples.x, "y": examples.targets}

    @abc.abstractmethod
    def answers(self, task, examples, batch_size=32):
        """What the task answers: a list of dicts that JSON can hold, one an example."""

    @abc.abstractmethod
    def evaluate(self, task, examples, batch_size=32):
        """The metrics of the task: a dict of floats by the names that README.md lists."""

    @abc.abstractmethod
    def errors(self, task, examples, batch_size=32):
        """The wrong answers, worst first: a list of dicts of strings and numbers, same keys."""

    def strata(self, examples):
        """The class of each example, for stratified folds; `None` where there are no classes."""
        return None

    def plot(self, task, examples, folder, batch_size=32):
        """Draw into a folder what numbers do not show; answer the list of paths."""
        return []
