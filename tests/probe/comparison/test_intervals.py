"""Intervals against SciPy, closed forms, plain loops, and simulations of their coverage."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from tf_bertembed.probe.comparison import intervals
from tf_bertembed.probe.comparison.intervals import bootstrap_estimates, fold_estimates


def answers(methods, draws, rows, classes, seed=0):
    """Predictions that are right for some rows and draws more often than for others."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=rows)
    ease = random.normal(size=rows) + random.normal(scale=0.3, size=(methods, draws, 1))
    right = random.normal(size=(methods, draws, rows)) < ease + 0.8
    wrong = random.integers(classes, size=(methods, draws, rows))
    return truth, np.where(right, truth, wrong)


def test_scores_are_scikit_learns():
    truth, predicted = answers(3, 2, 80, 4)
    # A class that is never predicted, and predictions of a class that no row has.
    predicted[predicted == 2] = 5
    found = bootstrap_estimates(truth, predicted, seed=0, resamples=50)
    accuracy = [np.mean([accuracy_score(truth, one) for one in each]) for each in predicted]
    macro_f1 = [
        np.mean(
            [
                f1_score(truth, one, average="macro", labels=range(4), zero_division=0.0)
                for one in each
            ]
        )
        for each in predicted
    ]
    np.testing.assert_allclose(found["accuracy"].scores, accuracy, rtol=1e-6)
    np.testing.assert_allclose(found["macro_f1"].scores, macro_f1, rtol=1e-6)
    differences = np.subtract.outer(accuracy, accuracy)
    np.testing.assert_allclose(found["accuracy"].differences, differences, atol=1e-6)


def test_one_draw_is_scipys_percentile_bootstrap():
    truth, predicted = answers(2, 1, 150, 3)
    found = bootstrap_estimates(truth, predicted, seed=1, resamples=20000)

    right = predicted[:, 0] == truth

    def accuracy(rows):
        return right[0, rows].mean()

    def difference(rows):
        return accuracy(rows) - right[1, rows].mean()

    def macro_f1(rows):
        table = np.zeros((3, 3))
        np.add.at(table, (truth[rows], predicted[0, 0, rows]), 1)
        return np.mean(2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1)))

    for function, got, resamples in (
        (accuracy, found["accuracy"].intervals[0], 4000),
        (difference, found["accuracy"].single[0, 1], 4000),
        (macro_f1, found["macro_f1"].intervals[0], 1000),
    ):
        expected = stats.bootstrap(
            (np.arange(150),),
            function,
            vectorized=False,
            method="percentile",
            n_resamples=resamples,
            rng=np.random.default_rng(2),
        ).confidence_interval
        np.testing.assert_allclose(got, expected, atol=0.015)


def test_resamples_of_rows_and_draws_are_what_a_loop_makes():
    """The variance of a mean over R draws and N rows, resampled one by one."""
    truth, predicted = answers(1, 4, 60, 2)
    right = (predicted[0] == truth).astype("float64")
    found = bootstrap_estimates(truth, predicted, seed=3, resamples=20000)
    random = np.random.default_rng(4)
    looped = [
        right[np.ix_(random.integers(4, size=4), random.integers(60, size=60))].mean()
        for _ in range(20000)
    ]
    expected = np.quantile(looped, [0.025, 0.975])
    np.testing.assert_allclose(found["accuracy"].intervals[0], expected, atol=0.006)


def test_blocks_change_nothing(monkeypatch):
    truth, predicted = answers(2, 2, 40, 3)
    whole = bootstrap_estimates(truth, predicted, seed=5, resamples=300)
    again = bootstrap_estimates(truth, predicted, seed=5, resamples=300)
    np.testing.assert_array_equal(whole["accuracy"].joint, again["accuracy"].joint)
    monkeypatch.setattr(intervals, "BLOCK", 40 * 7)
    parts = bootstrap_estimates(truth, predicted, seed=5, resamples=3000)
    np.testing.assert_allclose(parts["accuracy"].single, whole["accuracy"].single, atol=0.04)


def test_joint_intervals_are_wider_and_antisymmetric():
    truth, predicted = answers(5, 3, 200, 3)
    scores = np.random.default_rng(6).normal(size=(5, 10))
    for found in (
        bootstrap_estimates(truth, predicted, seed=7)["accuracy"],
        fold_estimates(scores, 0.25),
    ):
        off = ~np.eye(5, dtype=bool)
        widths = (found.joint[..., 1] - found.joint[..., 0])[off]
        assert (widths > (found.single[..., 1] - found.single[..., 0])[off]).all()
        np.testing.assert_allclose(
            found.joint, -np.moveaxis(found.joint, 0, 1)[..., ::-1], atol=1e-9
        )


def test_methods_that_answer_alike_differ_by_nothing():
    truth, predicted = answers(1, 3, 50, 2)
    found = bootstrap_estimates(truth, np.repeat(predicted, 2, axis=0), seed=8, resamples=100)
    for estimates in found.values():
        assert not estimates.differences.any()
        assert not estimates.joint.any()
    found = fold_estimates(np.repeat(np.random.default_rng(9).normal(size=(1, 10)), 2, 0), 0.25)
    assert not found.joint.any()


@pytest.mark.parametrize(("rows", "wrong"), [(1, 1), (5, 5), (200, 5), (6, 6), (200, 9)])
def test_a_lead_of_few_rows_may_be_noise(rows, wrong):
    """One method is always right, the other on some rows not: as the sign test has it."""
    truth = np.zeros(rows, int)
    other = np.where(np.arange(rows) < wrong, 1, 0)
    found = bootstrap_estimates(truth, np.stack([truth, other])[:, None], seed=0)["accuracy"]
    low, high = found.joint[0, 1]
    assert (low > 0) == (stats.binomtest(wrong, wrong).pvalue < 0.05) == (wrong > 5)
    assert high <= 1


@pytest.mark.parametrize(("first", "second"), [([0.48, 0.36], [0.6, 0.48]), ([1, 1], [0.5, 0.5])])
def test_two_folds_that_happen_to_agree_tell_no_more(first, second):
    """Both folds show the same difference, so that their variance is 0."""
    found = fold_estimates(np.array([first, second]), 1.0, rows=50)
    for intervals_of in (found.single, found.joint):
        low, high = intervals_of[0, 1]
        assert -1 <= low < 0 < high <= 1
    assert (found.intervals >= 0).all()
    assert (found.intervals <= 1).all()
    assert (found.intervals[:, 0] < found.intervals[:, 1]).all()


def test_of_many_rows_folds_alone_tell():
    scores = 0.8 + 0.02 * np.random.default_rng(13).normal(size=(3, 10))
    plain, found = fold_estimates(scores, 0.25), fold_estimates(scores, 0.25, rows=2000)
    np.testing.assert_array_equal(found.joint, plain.joint)
    np.testing.assert_array_equal(found.intervals, plain.intervals)


def test_folds_are_the_corrected_resampled_t_test():
    """Nadeau and Bengio's statistic, written out; with share 0 it is the paired t-test."""
    scores = np.random.default_rng(10).normal(size=(2, 10))
    difference = scores[0] - scores[1]
    plain = stats.ttest_rel(*scores).confidence_interval(0.95)
    np.testing.assert_allclose(fold_estimates(scores, 0.0).single[0, 1], plain)
    error = np.sqrt((1 / 10 + 0.25) * difference.var(ddof=1))
    found = fold_estimates(scores, 0.25)
    expected = difference.mean() + np.array([-1, 1]) * stats.t.ppf(0.975, 9) * error
    np.testing.assert_allclose(found.single[0, 1], expected)
    # Of one pair the joint interval is the single one.
    np.testing.assert_allclose(found.joint[0, 1], expected)
    three = fold_estimates(np.vstack([scores, scores[:1]]), 0.25)
    ratio = stats.t.ppf(1 - 0.025 / 3, 9) / stats.t.ppf(0.975, 9)
    widths = three.joint[0, 1] - difference.mean(), found.single[0, 1] - difference.mean()
    np.testing.assert_allclose(widths[0] / widths[1], ratio)


@pytest.mark.slow
@pytest.mark.parametrize("draws", [1, 5])
def test_coverage_on_a_test_file(draws):
    """Rows and draws differ at random; the true differences between methods are known."""
    random = np.random.default_rng(11)
    levels = np.array([0.8, 0.9, 0.9, 1.0])
    rows, tries = 200, 300

    def right(count, each):
        ease = random.normal(size=(1, 1, each))
        by_draw = random.normal(scale=0.15 if draws > 1 else 0, size=(4, count, 1))
        by_both = random.normal(size=(4, count, each))
        return levels[:, None, None] + ease + by_draw + by_both > 0

    spread = np.sqrt(2 + (0.15**2 if draws > 1 else 0))
    true = stats.norm.cdf(levels / spread)
    single = joint = scores = 0
    for seed in range(tries):
        predicted = right(draws, rows).astype(int)
        found = bootstrap_estimates(np.ones(rows, int), predicted, seed, 500)["accuracy"]
        expected = np.subtract.outer(true, true)
        inside = [
            (each[..., 0] <= expected) & (expected <= each[..., 1])
            for each in (found.single, found.joint)
        ]
        single += inside[0][0, 3]
        joint += inside[1].all()
        scores += found.intervals[0, 0] <= true[0] <= found.intervals[0, 1]
    print(f"{draws} draws: scores {scores}, single {single}, joint {joint} of {tries}")
    for count in (single, joint, scores):
        assert 0.91 <= count / tries <= 0.995


@pytest.mark.slow
def test_coverage_of_folds():
    """Two classifiers by nearest mean, on columns of different strength; data anew each time."""
    random = np.random.default_rng(12)
    rows, tries, folds, repeats = 100, 300, 5, 2

    def sample(count):
        labels = np.arange(count) % 2
        strength = np.array([0.5] * 4 + [0.4] * 4)
        return random.normal(size=(count, 8)) + (2 * labels[:, None] - 1) * strength, labels

    def accuracies(train, test, columns):
        (X, y), (held, truth) = train, test
        means = [X[y == label][:, columns].mean(axis=0) for label in (0, 1)]
        far = [((held[:, columns] - mean) ** 2).sum(axis=1) for mean in means]
        return np.mean((far[1] < far[0]) == truth)

    halves = slice(0, 4), slice(4, 8)
    large = sample(20000)
    # What training sets of this size reach on average, on rows without end.
    true = np.mean(
        [
            np.subtract(*(accuracies(train, large, half) for half in halves))
            for train in (sample(rows * (folds - 1) // folds) for _ in range(300))
        ]
    )
    inside = 0
    for _ in range(tries):
        X, y = sample(rows)
        scores = []
        for _ in range(repeats):
            order = np.argsort(random.random(rows))
            for held in np.array_split(order, folds):
                kept = np.setdiff1d(order, held)
                scores.append(
                    [accuracies((X[kept], y[kept]), (X[held], y[held]), half) for half in halves]
                )
        low, high = fold_estimates(np.array(scores).T, 1 / (folds - 1)).single[0, 1]
        inside += low <= true <= high
    print(f"folds: {inside} of {tries} intervals hold the true difference {true:.4f}")
    assert inside / tries >= 0.93
