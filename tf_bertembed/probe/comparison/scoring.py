"""The same probe for every method, fitted to the same rows."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from tf_bertembed.common import derive_seed, progress
from tf_bertembed.probe.probe_classifier import ProbeClassifier

METRICS = ("accuracy", "macro_f1")


def predict_draws(features, labels, splits, by_budget, seed):
    """Fit a probe for each draw and predict what its split holds out.

    Args:
        features: list of M `Features`.
        labels: int array `[N]`.
        splits: list of `Split`.
        by_budget: dict from budget to a list of D `Draw`.
        seed: int.

    Returns:
        A dict from budget to a pair: M lists of D int arrays, the classes
        predicted for the rows `splits[draw.split].test`; and M lists of D
        floats, the `C` that was chosen.
    """
    jobs = [
        (budget, place, draw)
        for budget, draws in by_budget.items()
        for place, draw in enumerate(draws)
    ]
    # One after another, so that what depends on a split is made once for it.
    jobs.sort(key=lambda job: job[2].split)
    found = {budget: ([], []) for budget in by_budget}
    with progress("Fitting probes", len(features) * len(jobs)) as advance:
        for one in features:
            answers = {}
            for budget, place, draw in jobs:
                split = splits[draw.split]
                matrix = one.matrix(split.pool)
                probe = ProbeClassifier(
                    None, C=one.candidates, scale=one.scale, random_state=derive_seed(seed, "C")
                )
                probe.fit(matrix[draw.rows], labels[draw.rows])
                answers[budget, place] = probe.predict(matrix[split.test]), probe.C_
                advance()
            for budget, (predicted, chosen) in found.items():
                of_budget = [answers[budget, place] for place in range(len(by_budget[budget]))]
                predicted.append([answer for answer, _ in of_budget])
                chosen.append([C for _, C in of_budget])
    return found


def score(metric, truth, predicted):
    """One metric of one draw, a fraction of 1.

    Macro F1 is over the classes among the rows judged; one that is never
    predicted counts 0.
    """
    if metric == "accuracy":
        return float(accuracy_score(truth, predicted))
    return float(
        f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0.0)
    )
