"""Which rows are learned from and which are judged, the same for every method."""

import dataclasses
import numbers

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold

from tf_bertembed.common import BertEmbedError, check_at_least, derive_seed, is_whole

ALL = "all"
# C is chosen by cross-validation over what is learned from.
FEWEST = 2


@dataclasses.dataclass(frozen=True)
class Split:
    """Rows to draw from and rows to judge by.

    Args:
        pool: int array. The rows for training.
        test: int array. The rows to judge by.
    """

    pool: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True)
class Draw:
    """What one probe of each method learns from.

    Args:
        split: int. The place of its split.
        rows: int array. The rows, of the split's pool.
    """

    split: int
    rows: np.ndarray


def make_splits(data, folds, repeats, seed):
    """Take the test file, or repeated stratified folds where there is none.

    Args:
        data: a `LabelledData`.
        folds: int. The folds of one repeat.
        repeats: int. How often the rows are dealt into folds anew.
        seed: int.

    Returns:
        A list of `Split`.

    Raises:
        BertEmbedError: where a class has too few rows.
    """
    label, rows = data.smallest()
    if data.has_test:
        if rows < FEWEST:
            raise BertEmbedError(
                f"Each label needs {FEWEST} rows to learn from or more. Received: {rows} of "
                f"{label!r}."
            )
        return [Split(np.arange(data.train_rows), np.arange(data.train_rows, len(data.labels)))]
    check_at_least(2, folds=folds)
    check_at_least(1, repeats=repeats)
    if rows < folds or rows - -(-rows // folds) < FEWEST:
        raise BertEmbedError(
            f"Each label needs {max(folds, FEWEST + 1)} rows or more for {folds} folds. Received: "
            f"{rows} of {label!r}. Give more rows, fewer folds or a test file."
        )
    dealer = RepeatedStratifiedKFold(
        n_splits=folds, n_repeats=repeats, random_state=derive_seed(seed, "folds")
    )
    return [Split(*rows) for rows in dealer.split(data.labels, data.labels)]


def check_budgets(budgets):
    """Read budgets as they come from a command line.

    Args:
        budgets: sequence of ints, strings of ints, or `"all"`; or one of them.

    Returns:
        A list of ints in order, and `"all"` at its end where it was there.

    Raises:
        BertEmbedError: where one is neither, or there is none.
    """
    found = set()
    for budget in [budgets] if isinstance(budgets, (str, numbers.Integral)) else budgets:
        number = budget
        if isinstance(budget, str) and budget.strip().isascii() and budget.strip().isdigit():
            number = int(budget)
        if budget != ALL and not (is_whole(number) and number >= FEWEST):
            raise BertEmbedError(
                f"A budget is a number of labels for each class, {FEWEST} or more, or {ALL!r}. "
                f"Received: {budget!r}."
            )
        found.add(ALL if budget == ALL else int(number))
    if not found:
        raise BertEmbedError("There is no budget to compare at. Received: an empty list.")
    return [*sorted(found - {ALL}), *([ALL] if ALL in found else [])]


def make_draws(labels, splits, budgets, draws, seed):
    """Draw the rows that are labelled, for each budget.

    A smaller budget takes part of what a larger one takes. Of a class that
    has fewer rows than a budget all are taken; a budget that would take every
    row is `"all"`.

    Args:
        labels: int array `[N]`.
        splits: list of `Split`.
        budgets: list, as `check_budgets` gives it.
        draws: int. How often rows are drawn from each pool; `"all"` has one.
        seed: int.

    Returns:
        A pair: a dict from budget to a list of `Draw`, and a list of
        sentences about what was cut.
    """
    found, notes = {}, []
    pools = [np.bincount(labels[split.pool]) for split in splits]
    fewest, most = min(pool.min() for pool in pools), max(pool.max() for pool in pools)
    for budget in budgets:
        if budget == ALL or budget >= most:
            if budget != ALL:
                notes.append(f"{budget} labels a class are all that there are.")
            found[ALL] = [Draw(place, split.pool) for place, split in enumerate(splits)]
            continue
        if budget > fewest:
            notes.append(
                f"At {budget} labels a class, classes of fewer rows (the smallest has {fewest}) "
                "give all they have."
            )
        found[budget] = [
            Draw(place, _first_of_each(labels, split.pool, budget, (seed, "draw", place, draw)))
            for draw in range(draws)
            for place, split in enumerate(splits)
        ]
    return found, notes


def _first_of_each(labels, pool, budget, names):
    order = np.random.default_rng(derive_seed(*names)).permutation(pool)
    taken = [order[labels[order] == label][:budget] for label in np.unique(labels[pool])]
    return np.sort(np.concatenate(taken))
