"""Answers as parts of texts: exact match and F1 as SQuAD counts them, the farthest answers."""

import warnings

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.tasks import QuestionAnswerer, score_answer, score_answers
from tf_bertembed.text import QuestionPreprocessor, read_squad
from tf_bertembed.training.recipes.base import Examples, Recipe, Report

METRICS = ("f1", "exact_match")
# Looked at to tell the language; the first contexts are as good as all.
CONTEXTS_READ = 200
CHINESE_SHARE = 0.3


class QuestionAnsweringRecipe(Recipe):
    """Answers questions with parts of their contexts.

    Data files are SQuAD's JSON, 1.1 or 2.0 (see `text.read_squad`). The
    metrics are `exact_match` and `f1`, and where some of the questions have no
    answer `has_answer_exact_match`, `has_answer_f1` and `no_answer_f1`; see
    `tasks.score_answers`. Then the task may answer nothing, and the dev set
    chooses the `null_threshold` at which its F1 is best.

    Args:
        metric: string. The metric by which the dev set chooses.
        null_threshold: float. The task's, instead of the one that is best on
            the dev set.
        language: string. How answers are compared, `"en"` or `"zh"`; `None`
            for `"zh"` where the contexts are Chinese.

    Raises:
        BertEmbedError: where there is no such metric.

    Example:

    ```python
    import json
    from tf_bertembed.training import recipes

    answer = {"text": "A cat", "answer_start": 0}
    question = {"id": "1", "question": "Who sat?", "answers": [answer]}
    paragraph = {"context": "A cat sat.", "qas": [question]}
    with open("train.json", "w") as file:
        json.dump({"data": [{"paragraphs": [paragraph]}]}, file)
    train = recipes.QuestionAnsweringRecipe().read("train.json")
    assert train.x[0].answers == (("A cat", 0),)
    ```
    """

    name = "qa"

    def __init__(self, metric="f1", null_threshold=None, language=None):
        if metric not in METRICS:
            raise BertEmbedError(f"The metric must be one of {METRICS}. Received: {metric!r}.")
        self.metric = metric
        self.null_threshold = null_threshold
        self.language = language

    def read(self, path, labelled=True):
        """Read a data file; see `text.read_squad`."""
        examples, _ = read_squad(path, labelled)
        return Examples((examples,), None, path)

    def from_lines(self, lines, path=None):
        """Raise: a question cannot be answered without its context."""
        wanted = "Questions and their contexts were expected, as SQuAD's JSON. Received: plain text"
        raise FileFormatError(path, f"{wanted}.") if path else BertEmbedError(f"{wanted} lines.")

    def make(
        self,
        backbone,
        tokenizer,
        train,
        sequence_length,
        static_words=None,
        stride=None,
        max_question_pieces=64,
        **options,
    ):
        """Make a `QuestionAnswerer`; more options are its own arguments."""
        preprocessor = QuestionPreprocessor(
            tokenizer,
            sequence_length,
            static_words,
            stride=stride,
            max_question_pieces=max_question_pieces,
        )
        return QuestionAnswerer(backbone, preprocessor, **{**self.options_for(train), **options})

    def options_for(self, examples):
        """The language, and a threshold where questions without an answer occur."""
        threshold = self.null_threshold
        if threshold is None and any(example.impossible for example in examples.x):
            threshold = 0.0
        language = self.language or _language(examples.x)
        return {"null_threshold": threshold, "language": language}

    def check(self, train, dev=None):
        """Raise where no answer can be trained on; warn of questions in both sets."""
        if all(example.span is None for example in train.x):
            raise train.fault("No question has an answer that stands in its context.")
        known = {(example.question, example.context) for example in train.x}
        shared = sum((e.question, e.context) in known for e in (dev.x if dev else ()))
        if shared:
            warnings.warn(
                f"{shared} of {len(dev)} questions of {dev.path or 'the dev set'} stand, with "
                f"their contexts, in {train.path or 'the training set'} too: the metrics will "
                "flatter the model.",
                stacklevel=2,
            )

    def texts(self, examples):
        """Each question, and each context once."""
        for example in examples.x:
            yield example.question
        yield from dict.fromkeys(example.context for example in examples.x)

    def steps(self, task, examples, batch_size):
        """A batch is one of windows."""
        return -(-len(task.windows(examples.x)) // batch_size)

    def finish(self, task, dev, batch_size=32):
        """Choose the threshold on the dev set, unless it was given."""
        kinds = {bool(example.answers) for example in dev.x}
        if self.null_threshold is None and task.null_threshold is not None and len(kinds) == 2:
            task.choose_null_threshold(dev.x, batch_size)

    def answers(self, task, examples, batch_size=32):
        """What `QuestionAnswerer.answer` gives, with the ids of the questions."""
        answers = task.answer(examples.x, batch_size)
        return [{"id": e.id, **answer} for e, answer in zip(examples.x, answers, strict=True)]

    def evaluate(self, task, examples, batch_size=32):
        """Metrics; see the class."""
        return _metrics(task, examples, task.answer(examples.x, batch_size))

    def errors(self, task, examples, batch_size=32):
        """Answers that do not match: those of least F1 first, of these the surest."""
        return _errors(task, examples, task.answer(examples.x, batch_size))

    def strata(self, examples):
        """Whether there is an answer, where that differs."""
        kinds = ["answer" if example.answers else "no answer" for example in examples.x]
        return kinds if len(set(kinds)) == 2 else None

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        """All of it from the answers that are found once."""
        answers = task.answer(examples.x, batch_size)
        return Report(
            _metrics(task, examples, answers),
            {"language": task.language, "null_threshold": task.null_threshold},
            _errors(task, examples, answers) if errors else None,
        )


def _language(examples):
    contexts = list(dict.fromkeys(example.context for example in examples))[:CONTEXTS_READ]
    letters = [c for context in contexts for c in context if c.isalpha()]
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in letters)
    return "zh" if chinese > CHINESE_SHARE * len(letters) else "en"


def _check_known(examples):
    for example in examples.x:
        if not example.answers and not example.impossible:
            raise examples.fault(
                f"The question {example.id!r} has no answer to compare with, and is not said to "
                "be impossible."
            )


def _metrics(task, examples, answers):
    _check_known(examples)
    return score_answers(examples.x, [answer["answer"] for answer in answers], task.language)


def _errors(task, examples, answers):
    _check_known(examples)
    rows = []
    for example, answer in zip(examples.x, answers, strict=True):
        golds = list(dict.fromkeys(text for text, _ in example.answers))
        exact, f1 = score_answer(answer["answer"], golds, task.language)
        if not exact:
            rows.append(
                {
                    "id": example.id,
                    "question": example.question,
                    "predicted": answer["answer"],
                    "gold": " | ".join(golds),
                    "f1": f1,
                    "score": answer["score"],
                }
            )
    return sorted(rows, key=lambda row: (row["f1"], -row["score"]))
