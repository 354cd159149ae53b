"""The recipe of sentence similarity: what it reads, trains, measures and refuses."""

import csv
import itertools
import json

import numpy as np
import pytest

from tf_bertembed import cli, export, models, tasks, training
from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.training.recipes import Examples, SimilarityRecipe, load_run

pytestmark = pytest.mark.usefixtures("eagerly")

HEADERS = {
    "cosine": "text_a\ttext_b\tscore",
    "softmax": "text_a\ttext_b\tlabel",
    "ranking": "text_a\ttext_b",
}


@pytest.fixture(scope="module")
def pair_rows(review_rows):
    """Neighbouring sentences, with the share of words that they have in common."""
    texts = [sentence for sentence, _ in review_rows[:25]]
    rows = []
    for first, second in itertools.pairwise(texts):
        one, other = set(first.split()), set(second.split())
        rows.append((first, second, 5 * len(one & other) / len(one | other)))
    return rows


@pytest.fixture(scope="module")
def files(pair_rows, tmp_path_factory, write_tsv):
    folder = tmp_path_factory.mktemp("pairs")
    columns = {
        "cosine": lambda score: (f"{score:.3f}",),
        "softmax": lambda score: ("near" if score > 0.5 else "far",),
        "ranking": lambda score: (),
    }
    for name, header in HEADERS.items():
        rows = [(first, second, *columns[name](score)) for first, second, score in pair_rows]
        write_tsv(folder / f"{name}-train.tsv", rows[:16], header)
        write_tsv(folder / f"{name}-dev.tsv", rows[16:], header)
    return folder


METRICS = {
    "cosine": {"loss", "spearman", "pearson"},
    "softmax": {"loss", "accuracy", "macro_f1"},
    "ranking": {"recall_at_1", "recall_at_5", "recall_at_10", "mrr"},
}


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param("cosine", marks=pytest.mark.slow),
        pytest.param("softmax", marks=pytest.mark.slow),
        "ranking",
    ],
)
def test_from_files_to_a_run(objective, files, tmp_path, tiny_start, tiny_settings):
    train, dev = (files / f"{objective}-{part}.tsv" for part in ("train", "dev"))
    tuned = training.fine_tune(
        "similarity",
        train,
        tmp_path / "run",
        dev=dev,
        start=tiny_start(),
        settings=tiny_settings(),
        task_options={"pooling": "sif" if objective == "ranking" else "mean"},
    )
    assert tuned.task.objective == objective
    assert set(tuned.report["metrics"]["dev"]) == METRICS[objective]
    report = training.evaluate_run(tmp_path / "run", dev, errors=tmp_path / "errors.tsv")
    assert report["metrics"] == pytest.approx(tuned.report["metrics"]["dev"], abs=1e-5)
    with (tmp_path / "errors.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == report["wrong"]
    if objective == "cosine":
        gaps = [float(row["rank_gap"]) for row in rows]
        assert gaps == sorted(gaps, reverse=True)
    if objective == "ranking":
        ranks = [int(row["rank"]) for row in rows]
        assert ranks == sorted(ranks, reverse=True)
        reciprocals = [1 / rank for rank in ranks] + [1.0] * (8 - len(ranks))
        assert report["metrics"]["mrr"] == pytest.approx(np.mean(reciprocals))
    training.predict_file(tmp_path / "run", dev, tmp_path / "answers.jsonl")
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    recipe, task = load_run(tmp_path / "run")
    assert answers == task.answer(recipe.read(dev).x)
    assert {"score"} <= answers[0].keys()
    assert models.load(tmp_path / "run").hidden_dim == 8


@pytest.mark.slow
def test_scores_judge_an_encoder_trained_by_ranking(files, tiny_start, tiny_settings):
    recipe = SimilarityRecipe("ranking", metric="spearman")
    tuned = training.fine_tune(
        recipe,
        files / "cosine-train.tsv",
        dev=files / "cosine-dev.tsv",
        start=tiny_start(),
        settings=tiny_settings(),
    )
    assert set(tuned.report["metrics"]["dev"]) == {"spearman", "pearson"}


@pytest.mark.slow
def test_the_command_and_the_served_model(files, tmp_path, capsys):
    run = tmp_path / "run"
    sizes = ["--num-layers", "1", "--num-heads", "2", "--hidden-dim", "8"]
    fit = ["--epochs", "1", "--sequence-length", "16", "--vocabulary-size", "200"]
    options = ["--score-range", "-1", "6", "--normalize", "--metric", "pearson", "--json"]
    data = ["--train", str(files / "cosine-train.tsv"), "--dev", str(files / "cosine-dev.tsv")]
    command = ["train", "similarity", *data, "--output", str(run), *sizes, *fit, *options]
    assert cli.main(command) == 0
    assert set(json.loads(capsys.readouterr().out)["metrics"]["dev"]) == METRICS["cosine"]
    task = tasks.SentenceEncoder.from_preset(run)
    assert (task.score_range, task.normalize) == ((-1.0, 6.0), True)
    path = export.export_saved_model(task, tmp_path / "served")
    found = export.answer(path, ["我住在北京 🙂", ""])["embedding"]
    expected = [answer["embedding"] for answer in task.answer(["我住在北京 🙂", ""])]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_retrieval_counts_every_second_text_of_a_query(tiny_start, tiny_settings, make_examples):
    texts = make_examples(0, 6).inputs[0]
    pairs = Examples(([texts[0], texts[0], texts[1]], [texts[2], texts[3], texts[4]]))
    recipe = SimilarityRecipe()
    tuned = training.fine_tune(recipe, pairs, start=tiny_start(), settings=tiny_settings())
    vectors = tuned.task.encode([texts[0], texts[1], *texts[2:5]])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = vectors[:2] @ vectors[2:].T
    metrics = recipe.evaluate(tuned.task, pairs)
    assert metrics["recall_at_1"] == tasks.recall_at_k(scores, [[0, 1], [2]], 1)
    assert metrics["recall_at_5"] == 1.0
    assert metrics["mrr"] == tasks.mrr(scores, [[0, 1], [2]])


def test_what_is_refused(files, tmp_path, write_tsv):
    train = SimilarityRecipe().read(files / "cosine-train.tsv")
    bad = write_tsv(tmp_path / "bad.tsv", [("a", "b", "high")], HEADERS["cosine"])
    with pytest.raises(FileFormatError, match="line 2: `score` must be a number"):
        SimilarityRecipe().read(bad)
    with pytest.raises(FileFormatError, match="The column `score` is missing"):
        SimilarityRecipe("cosine").read(files / "ranking-train.tsv")
    single = write_tsv(tmp_path / "single.tsv", [("a", "x")], "text\tlabel")
    recipe = SimilarityRecipe()
    with pytest.raises(FileFormatError, match="Pairs were expected: `text_a` and `text_b`"):
        recipe.check(recipe.read(single))
    one = write_tsv(tmp_path / "one.tsv", [("a", "b", "x")], HEADERS["softmax"])
    with pytest.raises(FileFormatError, match=r"At least two labels must occur. Received: 'x'"):
        SimilarityRecipe().check(SimilarityRecipe().read(one))
    wide = Examples((["a"], ["b"]), [7.0])
    with pytest.raises(BertEmbedError, match=r"pass `score_range`.*from 7 to 7"):
        SimilarityRecipe().options_for(wide)
    with pytest.raises(BertEmbedError, match="trained on by 'cosine'"):
        SimilarityRecipe(metric="mrr").check(train)
    with pytest.warns(UserWarning, match="16 of 16 rows"):
        SimilarityRecipe().check(train, train)
    with pytest.raises(BertEmbedError, match="At least two pairs are needed"):
        SimilarityRecipe("ranking").check(Examples((["a"], ["b"])))
    for arguments, message in (
        (("triplet",), "The objective must be one of"),
        (("cosine", "mrr"), "The metric must be one of spearman, pearson"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            SimilarityRecipe(*arguments)


def test_folds_are_stratified_by_labels_alone():
    pairs = (["a", "b"], ["c", "d"])
    assert SimilarityRecipe().strata(Examples(pairs, ["x", "y"])) == ["x", "y"]
    assert SimilarityRecipe().strata(Examples(pairs, [0.0, 1.0])) is None
    assert SimilarityRecipe().strata(Examples(pairs)) is None


def test_the_columns_of_dev_decide_the_metric():
    pairs = (["a", "b"], ["c", "d"])
    alone, scored, labelled = (Examples(pairs, y) for y in (None, [0.0, 1.0], ["x", "y"]))
    for train, dev, usual in ((alone, alone, "mrr"), (alone, scored, "spearman")):
        recipe = SimilarityRecipe()
        recipe.check(train)
        recipe.settle_metric(dev)
        assert recipe.metric == usual
    given = SimilarityRecipe("ranking", metric="mrr")
    with pytest.raises(BertEmbedError, match="With `score` the metric must be one of spearman"):
        given.settle_metric(scored)
    with pytest.raises(BertEmbedError, match=r"must have neither `score` nor `label`. .* `label`"):
        given.settle_metric(labelled)
    with pytest.raises(BertEmbedError, match=r"by 'cosine' the dev set must have `score`. .* nei"):
        SimilarityRecipe("cosine").settle_metric(alone)
