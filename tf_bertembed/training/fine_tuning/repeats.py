"""The same fit over folds of the rows, or over seeds: the mean and the spread of the metrics."""

import statistics
from collections import Counter

from tf_bertembed.common import BertEmbedError


def cut_folds(recipe, examples, folds, seed):
    """Cut rows into folds, each with the classes in the same shares where there are classes.

    Args:
        recipe: a `Recipe`.
        examples: `Examples`.
        folds: int. How many.
        seed: int. Seeds the shuffling.

    Returns:
        A list of pairs of `Examples`: to train on, and held out.

    Raises:
        BertEmbedError: where there are fewer rows, or rows of a class, than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    strata = recipe.strata(examples)
    if strata is None:
        if len(examples) < folds:
            raise examples.fault(f"{folds} folds need as many rows. Received: {len(examples)}.")
        splits = KFold(folds, shuffle=True, random_state=seed).split(range(len(examples)))
    else:
        name, count = min(Counter(strata).items(), key=lambda item: item[1])
        if count < folds:
            raise examples.fault(
                f"{folds} folds need as many rows of each class. Received: {count} of {name!r}."
            )
        cutter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        splits = cutter.split(range(len(examples)), strata)
    return [(examples.rows(kept), examples.rows(held_out)) for kept, held_out in splits]


def mean_and_spread(rows):
    """Mean and standard deviation of metrics.

    Args:
        rows: list of dicts of floats with the same keys.

    Returns:
        A dict of two dicts, `mean` and `spread` (of a sample; 0 for one row).
    """
    if not rows:
        raise BertEmbedError("There is nothing to take the mean of.")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        "mean": {name: statistics.fmean(values) for name, values in columns.items()},
        "spread": {
            name: statistics.stdev(values) if len(values) > 1 else 0.0
            for name, values in columns.items()
        },
    }
