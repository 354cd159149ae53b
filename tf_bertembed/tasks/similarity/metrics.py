"""How well scores of pairs agree with people's, and how well texts are found."""

import numbers

import numpy as np

from tf_bertembed.common import BertEmbedError, check_at_least


def pearson(truth, scores):
    """Pearson's correlation of two series, by SciPy.

    Args:
        truth: sequence of N numbers, at least 2.
        scores: sequence of N numbers.

    Returns:
        A float from -1 to 1; 0 where one side does not vary, since then
        nothing can be said.

    Raises:
        BertEmbedError: where lengths differ, there are fewer than two, or a
            number is not finite.

    Example:

    ```python
    from tf_bertembed import tasks

    assert abs(tasks.pearson([0, 2.5, 5], [0.1, 0.5, 0.9]) - 1) < 1e-9
    ```
    """
    from scipy.stats import pearsonr

    return _correlation(pearsonr, truth, scores)


def spearman(truth, scores):
    """Spearman's correlation of two series, by SciPy: Pearson's of their ranks.

    Equal numbers share the mean of their ranks.

    Args:
        truth: sequence of N numbers, at least 2.
        scores: sequence of N numbers.

    Returns:
        A float from -1 to 1; 0 where one side does not vary, since then
        nothing can be said.

    Raises:
        BertEmbedError: where lengths differ, there are fewer than two, or a
            number is not finite.

    Example:

    ```python
    from tf_bertembed import tasks

    assert abs(tasks.spearman([0, 2.5, 5], [0.1, 0.2, 0.9]) - 1) < 1e-9
    ```
    """
    from scipy.stats import spearmanr

    return _correlation(spearmanr, truth, scores)


def _correlation(function, truth, scores):
    truth, scores = np.asarray(truth, "float64"), np.asarray(scores, "float64")
    if truth.ndim != 1 or truth.shape != scores.shape or len(truth) < 2:
        raise BertEmbedError(
            "A correlation needs two series of as many numbers, at least 2. Received: shapes "
            f"{truth.shape} and {scores.shape}."
        )
    if not (np.isfinite(truth).all() and np.isfinite(scores).all()):
        raise BertEmbedError("A correlation needs finite numbers. Received: NaN or infinity.")
    if np.ptp(truth) == 0 or np.ptp(scores) == 0:
        return 0.0
    return float(function(truth, scores).statistic)


def recall_at_k(scores, relevant, k):
    """The share of the relevant documents that are among the first k, mean over queries.

    With one relevant document a query, it is the share of queries that find
    it. A relevant document stands after every other one of the same score, so
    that a model that scores all alike finds nothing.

    Args:
        scores: array `[Q, N]`, float. Row i scores the documents for query i.
        relevant: sequence of Q ints, or collections of ints. The documents
            to find.
        k: int. How many documents are looked at.

    Returns:
        A float from 0 to 1.

    Raises:
        BertEmbedError: where scores are not finite or not `[Q, N]`, a query
            has no relevant document or one that is not there, or k is less
            than 1.

    Example:

    ```python
    from tf_bertembed import tasks

    scores = [[0.9, 0.1, 0.8], [0.2, 0.7, 0.3]]
    assert tasks.recall_at_k(scores, [0, 2], k=1) == 0.5
    assert tasks.recall_at_k(scores, [[0, 1], [1]], k=2) == 0.75
    ```
    """
    check_at_least(1, k=k)
    return float(np.mean([found[:k].sum() / found.sum() for found in _in_order(scores, relevant)]))


def mrr(scores, relevant):
    """Mean reciprocal rank: 1 over the place of the first relevant document, mean over queries.

    Ties count against the model, as in `recall_at_k`.

    Args:
        scores: array `[Q, N]`, float. Row i scores the documents for query i.
        relevant: sequence of Q ints, or collections of ints. The documents
            to find.

    Returns:
        A float from 0 to 1.

    Raises:
        BertEmbedError: as for `recall_at_k`.

    Example:

    ```python
    from tf_bertembed import tasks

    assert tasks.mrr([[0.9, 0.1, 0.8], [0.2, 0.7, 0.3]], [0, 2]) == 0.75
    ```
    """
    return float(np.mean([1 / (1 + np.argmax(f)) for f in _in_order(scores, relevant)]))


def _in_order(scores, relevant):
    """For each query whether its documents, best first, are relevant."""
    scores = np.asarray(scores)
    if scores.ndim != 2 or not scores.size or not np.isfinite(scores).all():
        raise BertEmbedError(
            "Scores must be finite, a row a query and a column a document. Received: shape "
            f"{scores.shape}{'' if scores.size == 0 else ', or NaN or infinity'}."
        )
    relevant = list(relevant)
    if len(relevant) != len(scores):
        raise BertEmbedError(
            f"Each query needs its relevant documents. Received: {len(relevant)} for "
            f"{len(scores)} queries."
        )
    documents = scores.shape[1]
    for query, (row, found) in enumerate(zip(scores, relevant, strict=True)):
        places = np.unique([found] if isinstance(found, numbers.Integral) else list(found))
        if not places.size or places.min() < 0 or places.max() >= documents:
            raise BertEmbedError(
                f"Query {query} needs at least one relevant document, from 0 to "
                f"{documents - 1}. Received: {places.tolist()}."
            )
        wanted = np.zeros(documents, bool)
        wanted[places] = True
        yield wanted[np.lexsort((wanted, -row))]
