"""How far scores and their differences may be off, by two ways of estimating it.

With a test file, rows and draws are resampled (the crossed, or pigeonhole,
bootstrap); with repeated folds, the fold scores go into the corrected
resampled t-test. In both, methods are compared on the same rows and draws,
and no difference is taken to be surer than `FEWEST_ROWS` of the rows make it.
"""

import dataclasses

import numpy as np
from scipy import stats

LEVEL = 0.95
RESAMPLES = 2000
# A standard error of a difference is so many of the rows judged at least. Of few rows, or two
# folds, it may come out as 0 by chance. No lead of 5 rows counts, as in the sign test at 5%.
FEWEST_ROWS = 3
# Numbers in one block of resampled rows.
BLOCK = 1 << 24


@dataclasses.dataclass(frozen=True)
class Estimates:
    """Scores of M methods with intervals.

    Args:
        scores: array `[M]`.
        intervals: array `[M, 2]`, each at the level of 95%.
        differences: array `[M, M]`, score of the row less that of the column.
        single: array `[M, M, 2]`, intervals of the differences, each at 95%.
        joint: array `[M, M, 2]`, wider ones that hold all together at 95%,
            so also for whichever method came out best.
    """

    scores: np.ndarray
    intervals: np.ndarray
    differences: np.ndarray
    single: np.ndarray
    joint: np.ndarray


def bootstrap_estimates(truth, predicted, seed, resamples=RESAMPLES):
    """Estimate accuracy and macro F1 on one test file.

    A resample draws the N test rows and, by itself, the D draws of training
    rows, both with replacement, and takes each method's mean score over
    them. So an interval tells what other test rows and other draws from the
    same training file would give, not what another training file would; where
    D is 1 (all labels) it tells of test rows alone. Single intervals are the
    percentiles of the resamples. Joint ones are as many standard errors wide
    as the largest of all the studentised differences stays under in 95% of the
    resamples, and no fewer than for one difference of a normal distribution.

    Args:
        truth: int array `[N]`.
        predicted: int array `[M, D, N]`.
        seed: int.
        resamples: int.

    Returns:
        A dict from metric to `Estimates`.

    References:
        Efron and Tibshirani, 1993, An Introduction to the Bootstrap.
        Owen, 2007, The pigeonhole bootstrap, https://doi.org/10.1214/07-AOAS122
        Westfall and Young, 1993, Resampling-Based Multiple Testing.
    """
    draws, rows = predicted.shape[1:]
    tallies = _Tallies(truth, predicted)
    random = np.random.default_rng(seed)
    size = max(1, BLOCK // rows)
    found = {"accuracy": [], "macro_f1": []}
    for begin in range(0, resamples, size):
        count = min(size, resamples - begin)
        weights = random.multinomial(rows, np.full(rows, 1 / rows), count).astype("float32")
        drawn = random.multinomial(draws, np.full(draws, 1 / draws), count) / draws
        for metric, values in tallies.scores(weights).items():
            found[metric].append(np.einsum("rmd,rd->rm", values, drawn))
    whole = tallies.scores(np.ones((1, rows), "float32"))
    return {
        metric: _from_resamples(whole[metric][0].mean(axis=1), np.concatenate(values), rows)
        for metric, values in found.items()
    }


class _Tallies:
    """What a resample's scores are counted from: a column for each count, a row for each text."""

    def __init__(self, truth, predicted):
        self.shape = predicted.shape[:2]
        flat = predicted.reshape(-1, predicted.shape[2])
        classes = np.unique(truth)
        one_hot = truth == classes[:, None]
        guesses = flat[None] == classes[:, None, None]
        self.right = (flat == truth).astype("float32")
        self.true = one_hot.astype("float32")
        self.guessed = guesses.reshape(-1, guesses.shape[2]).astype("float32")
        hits = guesses & one_hot[:, None]
        self.hits = hits.reshape(-1, hits.shape[2]).astype("float32")

    def scores(self, weights):
        """Accuracy and macro F1, `[R, M, D]` each, of weights `[R, N]`."""
        count, rows = weights.shape
        accuracy = (weights @ self.right.T / rows).reshape(count, *self.shape)
        true = (weights @ self.true.T)[:, :, None]
        by_class = count, true.shape[1], -1
        guessed = (weights @ self.guessed.T).reshape(by_class)
        hits = (weights @ self.hits.T).reshape(by_class)
        # A class that a resample lacks is left out, as scikit-learn leaves out what no row has.
        f1 = np.where(true > 0, 2 * hits / np.maximum(true + guessed, 1), 0)
        macro_f1 = f1.sum(axis=1) / (true > 0).sum(axis=1)
        return {"accuracy": accuracy, "macro_f1": macro_f1.reshape(count, *self.shape)}


def _from_resamples(scores, samples, rows):
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    differences = scores[:, None] - scores[None]
    sampled = samples[:, :, None] - samples[:, None]
    errors = sampled.std(axis=0)
    studentised = np.abs(sampled - differences) / np.where(errors > 0, errors, np.inf)
    factor = max(np.quantile(studentised.max(axis=(1, 2)), LEVEL), stats.norm.ppf(tails[1]))
    # Methods that always answer alike differ by nothing.
    errors = np.where(sampled.any(axis=0), np.maximum(errors, FEWEST_ROWS / rows), 0)
    return Estimates(
        scores,
        np.quantile(samples, tails, axis=0).T,
        differences,
        np.moveaxis(np.quantile(sampled, tails, axis=0), 0, -1),
        _around(differences, factor * errors).clip(-1, 1),
    )


def fold_estimates(scores, share, rows=None):
    """Estimate a metric from the scores of repeated folds.

    The variance of the mean of J folds is taken as (1/J + share) times that
    of their scores, since folds share training rows. Intervals are those of
    Student's t with J - 1 degrees of freedom; joint ones are by Bonferroni over
    the M (M - 1) / 2 differences. At budgets below all labels, draws overlap
    less than the correction reckons, so intervals err on the wide side.

    Args:
        scores: array `[M, J]`.
        share: float. Test rows of a fold over its training rows.
        rows: int. The rows that the folds of one repeat judge together, of
            which scores are shares; `None` for scores of another kind.

    Returns:
        An `Estimates`.

    References:
        Nadeau and Bengio, 2003, https://doi.org/10.1023/A:1024068626366
        Bouckaert and Frank, 2004, https://doi.org/10.1007/978-3-540-24775-3_3
    """
    methods, folds = scores.shape
    pairs = max(1, methods * (methods - 1) // 2)
    paired = scores[:, None] - scores[None]

    fewest, lowest, highest = (0, -np.inf, np.inf) if rows is None else (FEWEST_ROWS / rows, 0, 1)

    def half_width(values, tests=1):
        error = np.sqrt((1 / folds + share) * values.var(axis=-1, ddof=1))
        error = np.where(values.any(axis=-1), np.maximum(error, fewest), 0)
        return stats.t.ppf(1 - (1 - LEVEL) / 2 / tests, folds - 1) * error

    means, differences = scores.mean(axis=1), paired.mean(axis=2)
    return Estimates(
        means,
        _around(means, half_width(scores)).clip(lowest, highest),
        differences,
        _around(differences, half_width(paired)).clip(-highest, highest),
        _around(differences, half_width(paired, pairs)).clip(-highest, highest),
    )


def _around(middle, half):
    return np.stack([middle - half, middle + half], axis=-1)
