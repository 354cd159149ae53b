"""How near texts are in meaning: scored pairs, labelled pairs, or pairs that belong together."""

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks import SentenceEncoder, mrr, pearson, recall_at_k, spearman
from tf_bertembed.text import Preprocessor, count_words
from tf_bertembed.text.labelled import read_labelled_rows
from tf_bertembed.training.recipes.base import Examples, Recipe, Report

# The metrics that an objective can be chosen by, the usual one first.
METRICS = {
    "cosine": ("spearman", "pearson"),
    "softmax": ("accuracy", "macro_f1"),
    "ranking": ("mrr", "recall_at_1", "recall_at_5", "recall_at_10", "spearman", "pearson"),
}
# And those that the columns of a file tell.
TOLD_BY = {
    "score": METRICS["cosine"],
    "label": METRICS["softmax"],
    None: METRICS["ranking"][:4],
}
COLUMNS = {"cosine": "score", "softmax": "label", "ranking": None}
RANGES = ((0.0, 1.0), (0.0, 5.0))
AT = (1, 5, 10)
QUERIES = 256


class SimilarityRecipe(Recipe):
    """Trains a `SentenceEncoder` on pairs of texts.

    Data files have the columns `text_a` and `text_b`, and `score` ("cosine"),
    `label` ("softmax") or neither ("ranking": the two texts of a row belong
    together). The metrics go by the columns of the file that judges: with
    scores `spearman` and `pearson` of the cosines, and under "cosine" `loss`;
    with labels `loss`, `accuracy` and `macro_f1`; with neither `recall_at_1`,
    `recall_at_5`, `recall_at_10` and `mrr` of finding all second texts of a
    first one among the second texts of the file.

    Args:
        objective: string. `"cosine"`, `"softmax"` or `"ranking"`; `None` for
            what suits the columns of the file that is trained on.
        metric: string. The metric by which the dev set chooses; `None` for
            `spearman`, `accuracy` or `mrr`.

    Raises:
        BertEmbedError: where there is no such objective, or the metric is not
            one of it.

    Example:

    ```python
    from tf_bertembed.training import recipes

    with open("train.tsv", "w") as file:
        file.write("text_a\\ttext_b\\tscore\\nA match.\\tA game.\\t4.2\\nA chip.\\tA dog.\\t0\\n")
    recipe = recipes.SimilarityRecipe()
    assert recipe.read("train.tsv").targets == [4.2, 0.0]
    ```
    """

    name = "similarity"

    def __init__(self, objective=None, metric=None):
        if objective is not None and objective not in METRICS:
            raise BertEmbedError(
                f"The objective must be one of {', '.join(METRICS)}. Received: {objective!r}."
            )
        known = METRICS.get(objective, sum(METRICS.values(), ()))
        if metric is not None and metric not in known:
            raise BertEmbedError(
                f"The metric must be one of {', '.join(dict.fromkeys(known))}. "
                f"Received: {metric!r}."
            )
        self.objective = objective
        self._given_metric = metric
        self._usual = None

    @property
    def metric(self):
        """The metric by which the dev set chooses."""
        return self._given_metric or self._usual or METRICS[self.objective or "cosine"][0]

    def read(self, path, labelled=True):
        """Read a data file; see `text.read_labelled`."""
        column = COLUMNS.get(self.objective)
        columns = ("score", "label") if column is None else (column,)
        found = read_labelled_rows(path, labelled and column is not None, columns)
        return Examples(found.texts, found.targets, path, found.lines)

    def make(
        self,
        backbone,
        tokenizer,
        train,
        sequence_length,
        static_words=None,
        labels=None,
        pooling="mean",
        normalize=False,
        score_range=None,
        scale=20.0,
        symmetric=False,
    ):
        """Make a `SentenceEncoder`; SIF pooling counts the pieces of the examples."""
        objective = self.objective or _objective(train)
        chosen = {}
        if objective == "softmax":
            chosen["labels"] = labels or _labels(train)
        if objective == "cosine":
            chosen["score_range"] = score_range or _score_range(train)
        if pooling == "sif":
            chosen["frequencies"] = count_words(self.texts(train), tokenizer)
        return SentenceEncoder(
            backbone,
            Preprocessor(tokenizer, sequence_length, static_words),
            pooling=pooling,
            objective=objective,
            normalize=normalize,
            scale=scale,
            symmetric=symmetric,
            **chosen,
        )

    def options_for(self, examples):
        """Labels or the range of scores, since a part of the rows may lack some."""
        objective = self.objective or _objective(examples)
        if objective == "softmax":
            return {"labels": _labels(examples)}
        return {"score_range": _score_range(examples)} if objective == "cosine" else {}

    def check(self, train, dev=None):
        """Raise where there are no pairs, or they lack what the objective learns from."""
        self._usual = None
        self.objective = self.objective or _objective(train)
        if self.metric not in METRICS[self.objective]:
            raise BertEmbedError(
                f"The metric must be one of {', '.join(METRICS[self.objective])} where pairs are "
                f"trained on by {self.objective!r}. Received: {self.metric!r}."
            )
        for part in (train, dev) if dev is not None else (train,):
            _check_pairs(part)
        column = COLUMNS[self.objective]
        if column is not None and _kind(train) != column:
            raise train.fault(
                f"The column `{column}` was expected. Received: {_told(_kind(train))}."
            )
        if self.objective == "softmax" and len(_labels(train)) < 2:
            raise train.fault(
                f"At least two labels must occur. Received: {_labels(train)[0]!r} in every row."
            )
        if self.objective == "ranking" and len(train) < 2:
            raise train.fault(
                "At least two pairs are needed to tell them apart ('ranking'). Received: 1."
            )
        super().check(train, dev)

    def settle_metric(self, dev):
        """Take the usual metric of the columns of dev, unless one was given that they can tell."""
        fitting = [name for name in METRICS[self.objective] if name in TOLD_BY[_kind(dev)]]
        if not fitting:
            raise dev.fault(
                f"Where pairs are trained on by {self.objective!r} the dev set must have "
                f"{_told(COLUMNS[self.objective])}. Received: {_told(_kind(dev))}."
            )
        if self._given_metric is None:
            self._usual = fitting[0]
        elif self.metric not in fitting:
            raise dev.fault(
                f"With {_told(_kind(dev))} the metric must be one of {', '.join(fitting)}. "
                f"Received: {self.metric!r}."
            )

    def fit_arguments(self, examples):
        """Pairs, with their scores or labels where they are learned from."""
        ranking = (self.objective or _objective(examples)) == "ranking"
        return {"x": examples.x, "y": None if ranking else examples.targets}

    def answers(self, task, examples, batch_size=32):
        """What `SentenceEncoder.answer` gives: of pairs, or of single texts."""
        return task.answer(examples.x, batch_size)

    def evaluate(self, task, examples, batch_size=32):
        """Metrics; see the class."""
        return self.report(task, examples, batch_size=batch_size).metrics

    def errors(self, task, examples, batch_size=32):
        """What is furthest off first: ranks of scores, labels, or places of second texts."""
        return self.report(task, examples, errors=True, batch_size=batch_size).errors

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        """All of it from vectors that are computed once."""
        _check_pairs(examples)
        kind = _kind(examples)
        if kind is None:
            metrics, rows = _judge_retrieval(task, examples, batch_size, errors)
        elif kind == "score":
            metrics, rows = _judge_scores(task, examples, batch_size)
        else:
            metrics, rows = _judge_labels(task, examples, batch_size)
        return Report(metrics, errors=list(rows) if errors else None)


def _kind(examples):
    if examples.targets is None:
        return None
    return "label" if isinstance(examples.targets[0], str) else "score"


def _told(kind):
    return "neither `score` nor `label`" if kind is None else f"`{kind}`"


def _objective(examples):
    return {"score": "cosine", "label": "softmax", None: "ranking"}[_kind(examples)]


def _labels(examples):
    return sorted(set(examples.targets))


def _score_range(examples):
    low, high = min(examples.targets), max(examples.targets)
    for begin, end in RANGES:
        if begin <= low and high <= end:
            return begin, end
    raise examples.fault(
        "Scores from 0 to 1 or from 0 to 5 were expected; for others pass `score_range` "
        f"(--score-range). Received: from {low:g} to {high:g}."
    )


def _check_pairs(examples):
    if len(examples.inputs) != 2:
        raise examples.fault("Pairs were expected: `text_a` and `text_b`. Received: `text`.")


def _pair_rows(examples, places, **columns):
    for place in places:
        first, second = (column[place] for column in examples.inputs)
        yield {
            "text_a": first,
            "text_b": second,
            **{name: value(place) for name, value in columns.items()},
        }


def _judge_scores(task, examples, batch_size):
    from scipy.stats import rankdata

    answers = task.answer(examples.x, batch_size)
    cosines = np.array([answer["score"] for answer in answers])
    truth = np.array(examples.targets, "float64")
    metrics = {"spearman": spearman(truth, cosines), "pearson": pearson(truth, cosines)}
    if task.objective == "cosine":
        wanted = task.encode_labels(truth)
        metrics = {"loss": float(np.mean((cosines - wanted) ** 2)), **metrics}
    # Spearman's view of it: how far apart the places of a pair are, as a share of all pairs.
    gaps = np.abs(rankdata(truth) - rankdata(cosines)) / len(truth)
    order = [place for place in np.argsort(-gaps, kind="stable") if gaps[place] > 0]
    rows = _pair_rows(
        examples,
        order,
        score=lambda place: float(truth[place]),
        cosine=lambda place: float(cosines[place]),
        rank_gap=lambda place: float(gaps[place]),
    )
    return metrics, rows


def _judge_labels(task, examples, batch_size):
    from sklearn.metrics import accuracy_score, f1_score

    if task.labels is None:
        raise examples.fault(
            f"Scores, or pairs alone, were expected by an encoder trained by {task.objective!r}. "
            "Received: `label`."
        )
    known = set(task.labels)
    for place, label in enumerate(examples.targets):
        if label not in known:
            raise examples.fault(
                f"The label {label!r} is not among those of the training: "
                f"{', '.join(task.labels[:10])}{'...' if len(task.labels) > 10 else ''}.",
                place,
            )
    truth, answers = examples.targets, task.answer(examples.x, batch_size)
    predicted = [answer["label"] for answer in answers]
    of_truth = np.array(
        [answer["probabilities"][label] for answer, label in zip(answers, truth, strict=True)]
    )
    tiny = np.finfo("float32").tiny
    metrics = {
        "loss": float(-np.log(np.maximum(of_truth, tiny)).mean()),
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0.0)),
    }
    wrong = [place for place in np.argsort(of_truth) if truth[place] != predicted[place]]
    rows = _pair_rows(
        examples,
        wrong,
        label=lambda place: truth[place],
        predicted=lambda place: predicted[place],
        probability_of_label=lambda place: float(of_truth[place]),
    )
    return metrics, rows


def _judge_retrieval(task, examples, batch_size, errors):
    """Each first text looks for its second ones among all second texts of the file."""
    queries, documents = (list(dict.fromkeys(column)) for column in examples.inputs)
    places = {text: place for place, text in enumerate(documents)}
    own = {query: set() for query in queries}
    for first, second in zip(*examples.inputs, strict=True):
        own[first].add(places[second])
    sides = []
    for texts in (queries, documents):
        vectors = task.encode(texts, batch_size)
        sides.append(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
    sums, rows = dict.fromkeys([*(f"recall_at_{k}" for k in AT), "mrr"], 0.0), []
    # So many at a time, since the table of all with all may be large.
    for begin in range(0, len(queries), QUERIES):
        part = queries[begin : begin + QUERIES]
        scores = sides[0][begin : begin + QUERIES] @ sides[1].T
        relevant = [own[query] for query in part]
        for k in AT:
            sums[f"recall_at_{k}"] += recall_at_k(scores, relevant, k) * len(part)
        sums["mrr"] += mrr(scores, relevant) * len(part)
        if errors:
            rows += _missed(part, documents, scores, relevant)
    rows.sort(key=lambda row: -row["rank"])
    return {name: total / len(queries) for name, total in sums.items()}, rows


def _missed(queries, documents, scores, relevant):
    for query, row, found in zip(queries, scores, relevant, strict=True):
        best = max(found, key=lambda place: row[place])
        others = np.ones(len(row), bool)
        others[list(found)] = False
        ahead = int(np.count_nonzero(others & (row >= row[best])))
        if ahead:
            first = int(np.argmax(np.where(others, row, -np.inf)))
            yield {
                "text_a": query,
                "text_b": documents[best],
                "cosine": float(row[best]),
                "rank": ahead + 1,
                "first": documents[first],
                "cosine_of_first": float(row[first]),
            }
