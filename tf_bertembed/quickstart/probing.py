"""Logistic regressions on features that stay as they are."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tf_bertembed import probe
from tf_bertembed.common import derive_seed


def _subset(labels, budget, seed):
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(labels == label))[:budget] for label in np.unique(labels)]
    )


def compare_features(train, held_out, settings, seed):
    """Fit the same probe on four kinds of features.

    Args:
        train: pair of texts and labels.
        held_out: pair of texts and labels.
        settings: a `Settings`; `budgets` are labelled examples a class,
            `None` for all.
        seed: int.

    Returns:
        A dict from features to a dict from budget (`"10"`, `"all"`) to the
        accuracies, one a seed; with all examples there is one.
    """
    texts = [*train[0], *held_out[0]]
    cut = len(train[0])
    bert = probe.BertEmbedTransformer(
        "all-minilm-l6-v2", sequence_length=settings.article_length
    ).fit_transform(texts)
    words = probe.WordVectorTransformer("glove-6b-50d", limit=settings.static_words).fit_transform(
        texts
    )
    dense = {"word vectors": words, "BERT": bert, "BERT + word vectors": np.hstack([bert, words])}

    def accuracy(name, rows):
        labels = np.asarray(train[1])[rows]
        model = LogisticRegression(max_iter=2000)
        if name == "TF-IDF":
            pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), model)
            features, test = [train[0][row] for row in rows], held_out[0]
        else:
            pipeline = make_pipeline(StandardScaler(), model)
            features, test = dense[name][:cut][rows], dense[name][cut:]
        return float(pipeline.fit(features, labels).score(test, held_out[1]))

    results = {}
    for name in ("TF-IDF", *dense):
        results[name] = {}
        for budget in settings.budgets:
            seeds = range(settings.seeds if budget else 1)
            results[name][str(budget or "all")] = [
                accuracy(name, _subset(train[1], budget, derive_seed(seed, "probe", round_)))
                for round_ in seeds
            ]
    return results
