import json

import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score

from tf_bertembed import export, models, training
from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.training import recipes
from tf_bertembed.training.recipes import Examples
from tf_bertembed.training.recipes.tagging import Judged, _by_label, _errors, _metrics

PEOPLE = ["Ada", "Grace", "Alan", "Kurt"]
PLACES = ["Paris", "Oslo", "Rome", "Bonn"]


@pytest.fixture(scope="module")
def examples():
    """Sentences of one form, which a small model learns."""
    rows = [(a, b) for a in PEOPLE for b in PLACES]
    words = [["Then", a, "went", "to", b, "."] for a, b in rows]
    return Examples((words,), [["O", "B-PER", "O", "O", "B-LOC", "O"]] * len(rows))


@pytest.fixture
def conll(tmp_path):
    def write(examples, name="a.conll", encode=lambda tag: tag):
        sentences = zip(examples.x, examples.targets, strict=True)
        blocks = [
            "".join(f"{word} {encode(tag)}\n" for word, tag in zip(*sentence, strict=True))
            for sentence in sentences
        ]
        path = tmp_path / name
        path.write_text("\n".join(blocks), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def run(examples, tiny_start, tiny_settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagging") / "run"
    # A few steps run quicker than they are traced.
    tf.config.run_functions_eagerly(True)
    try:
        tuned = training.fine_tune(
            "tagging",
            examples,
            folder,
            start=tiny_start(hidden_dim=32),
            settings=tiny_settings(epochs=4, batch_size=4, learning_rate=1e-2),
        )
    finally:
        tf.config.run_functions_eagerly(False)
    return folder, tuned


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions")
def test_from_a_file_to_metrics_and_answers(run, conll, examples, tmp_path):
    folder, tuned = run
    assert tuned.task.labels == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert tuned.task.preprocessor.split == "punctuation"
    # What was learned is told from a tag that is wrong in the file.
    swapped = Examples(examples.inputs, [["O"] * 4 + ["B-LOC", "O"], *examples.targets[1:]])
    path = conll(swapped)
    report = training.evaluate_run(folder, path, errors=tmp_path / "errors.tsv")
    assert report["metrics"]["f1"] > 0.5
    assert set(report["metrics"]) == {"loss", "f1", "precision", "recall", "accuracy"}
    assert report["details"]["labels"]["PER"]["count"] == 15
    lines = (tmp_path / "errors.tsv").read_text().splitlines()
    assert len(lines) == report["wrong"] + 1 > 1
    assert lines[0].split("\t")[:5] == ["text", "position", "word", "label", "predicted"]
    (tmp_path / "in.txt").write_text("🙂 Then Ada went to Oslo.\n", encoding="utf-8")
    training.predict_file(folder, tmp_path / "in.txt", tmp_path / "out.jsonl")
    (answer,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert answer["words"] == ["🙂", "Then", "Ada", "went", "to", "Oslo", "."]
    assert answer["starts"][2] == 7
    training.predict_file(folder, path, tmp_path / "of_words.jsonl")
    assert len((tmp_path / "of_words.jsonl").read_text().splitlines()) == 16


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions")
@pytest.mark.slow
def test_a_run_is_an_encoder_and_is_served(run, tmp_path):
    folder, tuned = run
    assert models.load(folder).hidden_dim == 32
    assert models.load_encoder(folder).encode(["Ada went", ""]).shape == (2, 32)
    path = export.export_saved_model(tuned.task, tmp_path / "tagger", examples=["Ada went"])
    assert export.verify(path).ok


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(3)
    labels = ["O", "B-A", "M-A", "E-A", "S-A", "B-B", "M-B", "E-B", "S-B"]
    true = rng.integers(0, 9, 200)
    logits = rng.normal(size=(200, 9)) + 2.5 * np.eye(9)[true]
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return Judged(labels, true, shares, [10] * 20)


def test_metrics_of_entities_are_those_of_seqeval(judged):
    # seqeval calls BIOES what BMES is with I for M.
    bioes = [label.replace("M-", "I-") for label in judged.labels]

    def rows(numbers):
        return [[bioes[n] for n in row] for row in np.reshape(numbers, (20, 10))]

    true, predicted = rows(judged.true), rows(judged.predicted)
    expected = {
        "f1": f1_score(true, predicted),
        "precision": precision_score(true, predicted),
        "recall": recall_score(true, predicted),
        "accuracy": accuracy_score(true, predicted),
    }
    found = _metrics(judged)
    assert 0.1 < expected["f1"] < 0.9
    assert found.pop("loss") == pytest.approx(-np.log(judged.of_true).mean())
    assert found == pytest.approx(expected)
    assert set(_by_label(judged)) == {"A", "B"}


# The example of seqeval's README.
def test_the_published_numbers():
    labels = ["O", "B-MISC", "I-MISC", "B-PER", "I-PER"]
    true = np.array([0, 0, 0, 1, 2, 2, 0, 3, 4, 0])
    predicted = np.array([0, 0, 1, 2, 2, 2, 0, 3, 4, 0])
    found = _metrics(Judged(labels, true, np.eye(5)[predicted], [7, 3]))
    assert (found["f1"], found["precision"], found["recall"]) == (0.5, 0.5, 0.5)
    assert found["accuracy"] == pytest.approx(0.8)


def test_metrics_where_there_is_no_entity():
    found = _metrics(Judged(["O", "B-A"], np.zeros(3, int), np.eye(2)[[0, 0, 0]], [3]))
    assert (found["f1"], found["accuracy"]) == (0.0, 1.0)
    assert _by_label(Judged(["O", "B-A"], np.zeros(3, int), np.eye(2)[[0, 0, 0]], [3])) == {}


def test_metrics_of_other_tags():
    judged = Judged(["N", "V", "X"], np.array([0, 0, 1]), np.eye(3)[[0, 1, 1]], [1, 2])
    found = _metrics(judged)
    assert (found["accuracy"], found["macro_f1"]) == pytest.approx((2 / 3, 2 / 3))
    assert set(found) == {"loss", "accuracy", "macro_f1"}
    assert _by_label(judged)["N"] == pytest.approx(
        {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "count": 2}
    )


def test_errors_begin_where_the_task_was_surest():
    shares = np.array([[0.6, 0.4], [0.2, 0.8], [0.9, 0.1], [0.7, 0.3]])
    judged = Judged(["N", "V"], np.array([1, 0, 0, 1]), shares, [1, 3])
    rows = _errors(Examples(([["a"], ["b", "c", "d"]],)), judged)
    assert [(row["word"], row["position"], row["text"]) for row in rows] == [
        ("b", 0, "b c d"),
        ("d", 2, "b c d"),
        ("a", 0, "a"),
    ]
    assert rows[0]["label"] == "N"
    assert rows[0]["predicted"] == "V"
    assert (rows[0]["probability"], rows[0]["probability_of_label"]) == (0.8, 0.2)


def test_a_tag_that_training_does_not_know(conll, examples):
    recipe = recipes.TaggingRecipe()
    strange = conll(examples.rows([0, 1]), "b.conll", lambda tag: tag.replace("LOC", "GPE"))
    train, dev = recipe.read(conll(examples)), recipe.read(strange)
    with pytest.raises(FileFormatError, match=r"b\.conll, line 5: The tag 'B-GPE' is not known"):
        recipe.check(train, dev)
    with pytest.raises(BertEmbedError, match="Row 0: The tag 'B-GPE' is not among"):
        recipe.check(examples, Examples(dev.inputs, dev.targets))


def test_one_tag_only_and_no_tags(conll, examples):
    recipe = recipes.TaggingRecipe()
    with pytest.raises(FileFormatError, match=r"At least two tags .* 'O' only"):
        recipe.check(recipe.read(conll(examples, encode=lambda tag: "O")))
    with pytest.raises(BertEmbedError, match="Tags were expected"):
        recipe.check(Examples(([["a"]],)))


def test_dev_rows_that_stand_in_train_are_counted(examples):
    with pytest.warns(UserWarning, match="2 of 2 rows"):
        recipes.TaggingRecipe().check(examples, examples.rows([3, 5]))


@pytest.mark.parametrize(
    ("tags", "metric", "expected"),
    [
        (["O", "B-A"], None, "f1"),
        (["O", "B-A"], "accuracy", "accuracy"),
        (["N", "V"], None, "accuracy"),
        (["N", "V"], "macro_f1", "macro_f1"),
    ],
)
def test_the_metric_that_chooses(tags, metric, expected):
    recipe = recipes.TaggingRecipe(metric)
    recipe.check(Examples(([["a", "b"]],), [tags]))
    assert recipe.metric == expected


def test_a_metric_that_is_of_other_tags():
    with pytest.raises(BertEmbedError, match=r"must be one of accuracy, macro_f1.*'f1'"):
        recipes.TaggingRecipe("f1").check(Examples(([["a", "b"]],), [["N", "V"]]))
    with pytest.raises(BertEmbedError, match=r"must be one of .*'mcc'"):
        recipes.TaggingRecipe("mcc")


@pytest.mark.parametrize(
    ("words", "split"),
    [
        (["我", "住", "。"], "characters"),
        (["I", "live", "."], "punctuation"),
        (["I", "live"], "whitespace"),
    ],
)
def test_texts_are_cut_as_the_words_look(words, split):
    train = Examples(([words],), [["O", "B-A", "O"][: len(words)]])
    assert recipes.TaggingRecipe().options_for(train)["split"] == split


def test_universal_columns(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\tI\tI\tPRON\tPRP\t_\t_\t_\t_\t_\n2\trun\trun\tVERB\tVBP\t_\t_\t_\t_\t_\n")
    assert recipes.TaggingRecipe(column="xpos").read(path).targets == [["PRP", "VBP"]]
    assert recipes.TaggingRecipe().read(path).lines == [1]
    # A RUN is judged by the column that it was trained on, and by the last one of plain CoNLL.
    recipe = recipes.TaggingRecipe()
    recipe.read_as({"column": "xpos"})
    assert recipe.read(path).targets == [["PRP", "VBP"]]
    (tmp_path / "a.conll").write_text("I PRON\n")
    assert recipe.read(tmp_path / "a.conll").targets == [["PRON"]]
