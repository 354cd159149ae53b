"""Word vectors, BERT, both and TF-IDF as features for a user's labels."""

import csv
import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from tf_bertembed.common import (
    BertEmbedError,
    OutputExistsError,
    atomic_path,
    check_at_least,
    derive_seed,
)
from tf_bertembed.export.versions import newest_version
from tf_bertembed.probe.comparison.features import (
    BOTH,
    bert_features,
    joined,
    tfidf_features,
    word_features,
)
from tf_bertembed.probe.comparison.findings import (
    as_values,
    mean_rows,
    sentences,
    table_rows,
)
from tf_bertembed.probe.comparison.intervals import bootstrap_estimates, fold_estimates
from tf_bertembed.probe.comparison.labelled_data import read_data
from tf_bertembed.probe.comparison.plots import plot_budgets, plot_layers
from tf_bertembed.probe.comparison.scoring import METRICS, predict_draws, score
from tf_bertembed.probe.comparison.splits import check_budgets, make_draws, make_splits
from tf_bertembed.probe.model_files import model_folder

BUDGETS = (10, 30, 100, "all")


def compare(
    train,
    output,
    test=None,
    vectors="glove-6b-50d",
    backbone="all-minilm-l6-v2",
    runs=(),
    sequence_length=None,
    layers=False,
    budgets=BUDGETS,
    draws=5,
    folds=5,
    repeats=2,
    cache=None,
    seed=0,
    overwrite=False,
):
    """Compare features for classifying a user's texts, by the same probe.

    The methods are TF-IDF, the mean of word vectors, their mean by SIF
    weights, BERT, BERT beside word vectors, and each RUN of `runs`, which may
    have been trained with any fusion. (Input fusion of a checkpoint that was
    not trained with it is left out: it starts as nothing, so its vectors are
    BERT's own. Output fusion by concatenation is what BERT beside word
    vectors is, with the mean of words in place of that of pieces.)

    The probe is a `ProbeClassifier`: standardised features, and a logistic
    regression whose C is chosen by cross-validation in the labelled rows
    alone. Word frequencies (TF-IDF, SIF) are learned from all texts of the
    training part, labels unseen, at every budget. A pair of texts is
    `[u, v, |u - v|]`.

    Scores are means over draws of labelled rows (with a test file) or over
    repeated stratified folds. See `comparison/intervals.py` for how intervals
    and differences are reckoned. "More than noise" means that 0 lies outside
    of an interval that holds for all differences at a budget together in 95%
    of cases.

    Where a run was killed, a second one finds the finished vectors in the
    cache.

    Args:
        train: string or `pathlib.Path`. A labelled file, as for
            `text.read_labelled`, with a column `label`.
        output: string or `pathlib.Path`. The folder to make: `table.csv`,
            `results.json`, `comparison.png`, and with layers `layers.png`.
        test: string or `pathlib.Path`. The file to judge by; `None` to judge
            by repeated stratified folds of `train`.
        vectors: string or `pathlib.Path`. Word vectors, as for `vectors.load`.
        backbone: string or `pathlib.Path`. The BERT, as for
            `BertEmbedTransformer`.
        runs: sequence of strings or `pathlib.Path`. More models to compare,
            a row each; one that is named again is passed over.
        sequence_length: int. The most pieces of a text that `backbone` reads,
            as for `BertEmbedTransformer`.
        layers: bool. Whether to probe each layer of the backbone as well, at
            the largest budget.
        budgets: sequence of ints, labels for each class, or `"all"`; or one of
            them.
        draws: int. How often labelled rows are drawn at a budget, with a test
            file; with folds each fold draws once.
        folds: int. Without a test file: the folds.
        repeats: int. Without a test file: how often rows are dealt into folds.
        cache: string or `pathlib.Path`. The folder for vectors of texts, which
            stays; `None` for the name of `output` with `-cache` at its end.
        seed: int. Seed of folds, draws and intervals.
        overwrite: bool. Whether to replace what stands at `output`.

    Returns:
        A dict, what `results.json` holds: `verdict` (sentences, the largest
        budget first), `budgets`, `layers`, `methods`, `notes` and settings.

    Raises:
        MissingFileError: where a file or model is missing.
        FileFormatError: where a file does not hold what it should.
        OutputExistsError: where something stands at `output`.
        BertEmbedError: where a class has too few rows, a setting cannot be, or
            the output would replace what is read.

    Example:

    ```python
    import gensim, pathlib
    from tf_bertembed import models, probe, text

    data = pathlib.Path(gensim.__file__).parent / "test" / "test_data"
    rows = (data / "pang_lee_polarity.cor").read_text("cp1252").splitlines()[::8]
    lines = ["label\\ttext", *(row.replace(" ", "\\t", 1) for row in rows)]
    pathlib.Path("reviews.tsv").write_text("\\n".join(lines), encoding="utf-8")
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert", tokenizer)
    report = probe.compare(
        "reviews.tsv", "compared", vectors=data / "test_glove.txt", backbone="my-bert",
        budgets=["all"], folds=2, repeats=1,
    )
    assert "is best: accuracy" in report["verdict"][0]
    assert pathlib.Path("compared", "table.csv").exists()
    ```

    References:
        Alain and Bengio, 2016, https://arxiv.org/abs/1610.01644
    """
    from tf_bertembed.tasks.checkpoint_parts import check_spared

    output = Path(output)
    if output.exists() and not overwrite:
        raise OutputExistsError(output)
    cache = f"{output}-cache" if cache is None else cache
    for source in (train, test or train, vectors, backbone, *runs, cache):
        check_spared(source, output)
    runs = list(dict.fromkeys(map(str, runs)))
    # Before anything that takes minutes.
    for model in (backbone, *runs):
        model_folder(model)
    count = _layer_count(backbone) if layers else 0
    budgets = check_budgets(budgets)
    check_at_least(1, draws=draws)
    data = read_data(train, test)
    splits = make_splits(data, folds, repeats, seed)
    by_budget, notes = make_draws(data.labels, splits, budgets, draws if data.has_test else 1, seed)
    if data.repeated:
        notes.append(_repeated(data, train, test))
    read = {"cache": cache, "sequence_length": sequence_length}
    methods = _methods(data, vectors, backbone, runs, read)
    report = {
        "train": str(train),
        "test": None if test is None else str(test),
        "rows": {"train": data.train_rows, "test": len(data.labels) - data.train_rows},
        "labels": data.classes,
        "pairs": len(data.texts) == 2,
        "judged_by": "the test file"
        if data.has_test
        else f"{folds} stratified folds, {repeats} times",
        "vectors": str(vectors),
        "backbone": str(backbone),
        "sequence_length": sequence_length,
        "runs": runs,
        "cache": str(cache),
        "seed": seed,
        "methods": [{"name": one.name, "about": one.about} for one in methods],
        "notes": notes,
        "budgets": _judged(methods, data, splits, by_budget, seed),
        "layers": None,
    }
    report["verdict"] = [sentences(budget) for budget in reversed(report["budgets"])]
    if layers:
        parts = _layers(data, backbone, count, read)
        largest = dict([list(by_budget.items())[-1]])
        (report["layers"],) = _judged(parts, data, splits, largest, seed)
    _write(report, output, overwrite)
    return report


def _methods(data, vectors, backbone, runs, read):
    words = word_features(data, vectors)
    weighted = word_features(data, vectors, weighting="sif")
    bert = bert_features(data, backbone, **read)
    found = [tfidf_features(data), words, weighted, bert, joined(BOTH, bert, words)]
    folders = Counter(Path(run).name for run in runs)
    for run in runs:
        # Two RUNs of one name are told apart by their paths.
        name = Path(run).name if folders[Path(run).name] == 1 else str(run)
        found.append(bert_features(data, run, f"RUN {name}", read["cache"]))
    return found


def _repeated(data, train, test):
    if test is None:
        return f"{data.repeated} rows of {train} repeat a text, which folds may share."
    return f"{data.repeated} texts of {test} stand in {train} too."


def _layer_count(backbone):
    from tf_bertembed import models

    if newest_version(backbone) is not None:
        raise BertEmbedError(
            f"`layers` needs a RUN or a checkpoint: an exported model shows no layers. Received: "
            f"{backbone}."
        )
    return models.load(backbone).num_layers


def _layers(data, backbone, count, read):
    return [
        bert_features(
            data, backbone, f"layer {layer}" if layer else "embeddings", layer=layer, **read
        )
        for layer in range(count + 1)
    ]


def _judged(methods, data, splits, by_budget, seed):
    names = [one.name for one in methods]
    found = predict_draws(methods, data.labels, splits, by_budget, seed)
    judged = []
    for budget, draws in by_budget.items():
        predicted, chosen = found[budget]
        estimates = _estimates(data, splits, draws, predicted, derive_seed(seed, "rows", budget))
        judged.append(
            {
                "budget": budget,
                "labelled_rows": mean_rows(draws),
                "probes": len(draws),
                "metrics": {metric: as_values(names, estimates[metric]) for metric in METRICS},
                "chosen_C": dict(zip(names, chosen, strict=True)),
            }
        )
    return judged


def _estimates(data, splits, draws, predicted, seed):
    if data.has_test:
        return bootstrap_estimates(data.labels[splits[0].test], np.array(predicted), seed)
    truths = [data.labels[splits[draw.split].test] for draw in draws]
    share = np.mean([len(split.test) / len(split.pool) for split in splits])
    return {
        metric: fold_estimates(
            np.array([[*map(partial(score, metric), truths, one)] for one in predicted]),
            share,
            rows=len(data.labels),
        )
        for metric in METRICS
    }


def _write(report, output, overwrite):
    with atomic_path(output, overwrite) as place:
        place.mkdir()
        written = json.dumps(report, indent=2, ensure_ascii=False)
        (place / "results.json").write_text(written + "\n", encoding="utf-8")
        rows = list(table_rows(report))
        with (place / "table.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        plot_budgets(report, place / "comparison.png")
        if report["layers"] is not None:
            plot_layers(report["layers"], place / "layers.png")
