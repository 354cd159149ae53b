"""The same probe for every method, fitted to the same rows."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from tf_bertembed.common import derive_seed, progress
from tf_bertembed.probe.probe_classifier import ProbeClassifier

METRICS = ("accuracy", "macro_f1")


def predict_draws(features, labels, splits, draws, seed):
    """Fit a probe for each draw and predict what its split holds out.

    Args:
        features: list of M `Features`.
        labels: int array `[N]`.
        splits: list of `Split`.
        draws: list of D `Draw`.
        seed: int.

    Returns:
        A pair: a list of M lists of D int arrays, the classes predicted for
        the rows `splits[draw.split].test`; and a list of M lists of D floats,
        the `C` that was chosen.
    """
    predicted, chosen = [], []
    with progress("Fitting probes", len(features) * len(draws)) as advance:
        for one in features:
            predicted.append([])
            chosen.append([])
            for draw in draws:
                split = splits[draw.split]
                matrix = one.matrix(split.pool)
                probe = ProbeClassifier(
                    None, C=one.candidates, scale=one.scale, random_state=derive_seed(seed, "C")
                )
                probe.fit(matrix[draw.rows], labels[draw.rows])
                predicted[-1].append(probe.predict(matrix[split.test]))
                chosen[-1].append(probe.C_)
                advance()
    return predicted, chosen


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
