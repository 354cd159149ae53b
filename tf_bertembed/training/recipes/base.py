"""What a kind of task has to say for itself, from a data file to metrics."""

import abc
import dataclasses
import itertools
import warnings

from tf_bertembed.common import BertEmbedError, FileFormatError


@dataclasses.dataclass(frozen=True)
class Examples:
    """The rows of a data file, in columns.

    Args:
        inputs: tuple of lists of N items. One list, or two for pairs.
        targets: list of N items; `None` where the file has no labels.
        path: string or `pathlib.Path`. Where they come from; `None` for elsewhere.
        lines: list of N ints. The line where each row starts, for messages; `None` for none.

    Raises:
        BertEmbedError: where columns differ in length.

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
    lines: list | None = None

    def __post_init__(self):
        columns = (*self.inputs, self.targets, self.lines)
        counts = {len(column) for column in columns if column is not None}
        if len(counts) > 1:
            raise BertEmbedError(
                f"The columns of examples must be of one length. Received: {sorted(counts)}."
            )

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
        lines = None if self.lines is None else [self.lines[place] for place in places]
        return dataclasses.replace(self, inputs=inputs, targets=targets, lines=lines)

    def fault(self, problem, place=None):
        """An error about these examples, or about one of them by its place."""
        if self.path is None:
            return BertEmbedError(problem if place is None else f"Row {place}: {problem}")
        known = place is not None and self.lines is not None
        return FileFormatError(self.path, problem, self.lines[place] if known else None)


@dataclasses.dataclass
class Report:
    """How a task did on examples.

    Args:
        metrics: dict of floats.
        details: dict that JSON can hold: what is more than a number.
        errors: list of dicts, the wrong answers, worst first; `None` where not asked for.
        plots: list of `pathlib.Path`s.
    """

    metrics: dict
    details: dict = dataclasses.field(default_factory=dict)
    errors: list | None = None
    plots: list = dataclasses.field(default_factory=list)


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

    def read_as(self, trained):
        """Read files as the training did whose options these are, a dict."""
        return

    def from_lines(self, lines, path=None):
        """`Examples` without labels from plain texts, where the task takes such."""
        return Examples((lines,), path=path, lines=list(range(1, len(lines) + 1)))

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

    def settle_metric(self, dev):
        """Choose the metric by what the dev set can tell; raise where it cannot tell the one."""
        return

    def texts(self, examples):
        """The texts of examples, to learn a vocabulary from and to find their words."""
        for item in itertools.chain(*examples.inputs):
            yield item if isinstance(item, str) else " ".join(item)

    def options_for(self, examples):
        """Arguments of `make` that must not depend on which of the rows are trained on."""
        return {}

    def steps(self, task, examples, batch_size):
        """How many batches `fit` takes in an epoch."""
        return -(-len(examples) // batch_size)

    def fit_arguments(self, examples):
        """The `x` and `y` of `task.fit`, as a dict."""
        return {"x": examples.x, "y": examples.targets}

    def finish(self, task, dev, batch_size=32):
        """Settle by the dev set what the weights leave open, such as a threshold."""
        return

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
        classes = bool(examples.targets) and isinstance(examples.targets[0], str)
        return examples.targets if classes else None

    def plot(self, task, examples, folder, batch_size=32):
        """Draw into a folder what numbers do not show; answer the list of paths."""
        return []

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        """Metrics, with the wrong answers and with plots where they are asked for."""
        return Report(
            self.evaluate(task, examples, batch_size),
            errors=self.errors(task, examples, batch_size) if errors else None,
            plots=[] if folder is None else self.plot(task, examples, folder, batch_size),
        )
