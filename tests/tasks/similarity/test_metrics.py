"""Correlations against SciPy, retrieval against counting by hand, ties against the model."""

import numpy as np
import pytest
import scipy.stats

from tf_bertembed import tasks
from tf_bertembed.common import BertEmbedError


def test_correlations():
    random = np.random.default_rng(0)
    truth = random.integers(0, 6, 200)
    scores = truth + random.normal(size=200)
    assert tasks.pearson(truth, scores) == scipy.stats.pearsonr(truth, scores).statistic
    ranks = [scipy.stats.rankdata(side) for side in (truth, scores)]
    assert tasks.spearman(truth, scores) == pytest.approx(np.corrcoef(*ranks)[0, 1])
    for function in (tasks.pearson, tasks.spearman):
        assert function([1, 2, 3], [5, 5, 5]) == 0.0
        for wrong, message in (
            (([1], [1]), "at least 2"),
            (([1, 2], [1, 2, 3]), "as many numbers"),
            (([1, 2], [1, np.nan]), "finite"),
        ):
            with pytest.raises(BertEmbedError, match=message):
                function(*wrong)


def test_retrieval_with_one_and_with_several_relevant_documents():
    scores = [[0.9, 0.5, 0.7, 0.1], [0.2, 0.8, 0.3, 0.1], [0.1, 0.2, 0.3, 0.4]]
    # The places of what is relevant: 2; 1 and 4; 4.
    relevant = [2, {1, 3}, [0]]
    assert tasks.recall_at_k(scores, relevant, 1) == pytest.approx((0 + 1 / 2 + 0) / 3)
    assert tasks.recall_at_k(scores, relevant, 2) == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert tasks.recall_at_k(scores, relevant, 9) == 1.0
    assert tasks.mrr(scores, relevant) == pytest.approx((1 / 2 + 1 + 1 / 4) / 3)


def test_ties_count_against_the_model():
    alike = np.zeros((2, 5))
    assert tasks.recall_at_k(alike, [0, 4], 4) == 0.0
    assert tasks.mrr(alike, [0, 4]) == pytest.approx(1 / 5)
    # Two relevant ones behind the three others.
    assert tasks.recall_at_k(alike[:1], [[0, 1]], 4) == 0.5


def test_bad_retrieval_is_told():
    for arguments, message in (
        (([[1.0, 2.0]], [2], 1), r"Query 0 needs.*from 0 to 1. Received: \[2\]"),
        (([[1.0, 2.0]], [[]], 1), "at least one relevant document"),
        (([[1.0, 2.0]], [0, 1], 1), "2 for 1 queries"),
        (([[1.0, np.nan]], [0], 1), "NaN or infinity"),
        (([1.0, 2.0], [0], 1), r"shape \(2,\)"),
        (([[1.0, 2.0]], [0], 0), "`k` must be"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            tasks.recall_at_k(*arguments)


def test_the_streaming_metric_is_pearsons_of_all_batches():
    random = np.random.default_rng(1)
    x = random.uniform(0.7, 0.8, 300)
    y = x + random.normal(scale=0.02, size=300)
    weights = random.integers(1, 4, 300)
    for sample_weight in (None, weights):
        metric = tasks.PearsonMetric()
        for first in range(0, 300, 64):
            part = slice(first, first + 64)
            own = None if sample_weight is None else sample_weight[part]
            metric.update_state(x[part], y[part], own)
        repeated = np.repeat(np.stack([x, y]), 1 if sample_weight is None else weights, axis=1)
        expected = scipy.stats.pearsonr(*repeated).statistic
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0.0
    metric.update_state([0.1, 0.5, 0.9], [0.3, 0.3, 0.3])
    assert float(metric.result()) == 0.0
