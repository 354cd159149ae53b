import csv
import json

import keras
import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import models, tasks, text, training, vectors
from tf_bertembed.common import BertEmbedError, FileFormatError, OutputExistsError
from tf_bertembed.models.lora import plain_weights
from tf_bertembed.training.fine_tuning.fitting import require_finite
from tf_bertembed.training.fine_tuning.start import StartingModel
from tf_bertembed.training.fine_tuning.unfinished import UnfinishedRun
from tf_bertembed.training.recipes import ClassificationRecipe, Report

LENGTH = 16

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def files(tmp_path_factory, review_rows, write_tsv):
    folder = tmp_path_factory.mktemp("reviews")
    for name, first, count in (("train", 0, 24), ("dev", 24, 12), ("test", 36, 12)):
        write_tsv(folder / f"{name}.tsv", review_rows[first : first + count])
    return folder


@pytest.fixture(scope="module")
def two_layers(tmp_path_factory):
    """The folder of a backbone to start from."""
    folder = tmp_path_factory.mktemp("start")
    keras.utils.set_random_seed(0)
    models.BertEmbedBackbone(9, 2, 2, 8, 16, max_sequence_length=16).save_to_preset(folder)
    words = [*text.SPECIAL_TOKENS, "a", "the", "film", "and"]
    text.BertEmbedTokenizer(words).save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def glove_file():
    return datapath("test_glove.txt")


class Scripted(ClassificationRecipe):
    """Answers accuracies that are given to it, and keeps the weights that it saw."""

    def __init__(self, accuracies):
        super().__init__()
        self._accuracies = list(accuracies)
        self._weights = []

    @property
    def weights(self):
        return self._weights

    def report(self, task, examples, folder=None, errors=False, batch_size=32):
        return Report(self.evaluate(task, examples, batch_size))

    def evaluate(self, task, examples, batch_size=32):
        self._weights.append(task.get_weights())
        return {"loss": 1.0, "accuracy": self._accuracies[len(self._weights) - 1]}


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_from_files_to_a_run(files, tmp_path, tiny_start, tiny_settings, glove_file):
    data = {name: files / f"{name}.tsv" for name in ("train", "dev", "test")}
    tuned = training.fine_tune(
        "classification",
        output=tmp_path / "run",
        start=tiny_start(vectors=glove_file, input_fusion="gate", output_fusion="concat"),
        settings=tiny_settings(epochs=2),
        task_options={"pooling": "mean"},
        **data,
    )
    run = tmp_path / "run"
    names = {"config.json", "metrics.json", "history.csv", "history.png", "vocab.txt"}
    assert names | {"training.json", "confusion_matrix.png"} <= {p.name for p in run.iterdir()}
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["dev"] == tuned.report["metrics"]["dev"]
    assert set(metrics["test"]) == {"loss", "accuracy", "macro_f1", "mcc"}
    assert np.sum(metrics["details"]["test"]["confusion_matrix"]["counts"]) == 12
    told = json.loads((run / "training.json").read_text())
    assert told["settings"]["epochs"] == 2
    assert told["start"]["output_fusion"] == "concat"
    assert told["data"]["dev"] == str(data["dev"])
    with open(run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == tuned.history["val_accuracy"]
    assert max(tuned.history["val_accuracy"]) == metrics["dev"]["accuracy"]
    # What a RUN is good for elsewhere.
    loaded = tasks.TextClassifier.from_preset(run)
    texts = text.read_labelled(data["test"])[0]
    assert loaded.answer(texts) == tuned.task.answer(texts)
    assert loaded.pooling == "mean"
    assert loaded.preprocessor.static_words
    assert models.load(run).output_fusion == "concat"
    again = StartingModel(training.ModelStart(backbone=run), texts, LENGTH)
    assert again.static_words == loaded.preprocessor.static_words
    assert_same(again.backbone(0).get_weights(), tuned.task.backbone.get_weights())


def test_the_table_has_the_words_of_the_texts_and_the_most_frequent(tiny_start, glove_file):
    start = tiny_start(vectors=glove_file, output_fusion="concat", frequent_words=2)
    model = StartingModel(start, ["The of", "the unheard"], LENGTH)
    first = vectors.load(glove_file).index_to_key[:2]
    assert first[0] == "the"
    assert model.static_words == [*first, "of"]
    assert model.backbone(0).static_vocabulary_size == 4


def test_a_new_backbone_starts_from_the_vectors_unless_told(tiny_start, glove_file, review_rows):
    def length(**arguments):
        start = tiny_start(**arguments)
        model = StartingModel(start, [sentence for sentence, _ in review_rows[:16]], LENGTH)
        table = np.asarray(model.backbone(0).token_embedding.embeddings)
        return np.linalg.norm(table[model.tokenizer.token_to_id("the")])

    warm, cold = length(vectors=glove_file), length()
    fused = {"vectors": glove_file, "output_fusion": "concat"}
    assert warm > 10 * cold
    assert length(**fused) == pytest.approx(warm)
    assert length(**fused, warm_start=False) < warm / 10


def test_the_best_weights_are_kept_and_training_stops(make_examples, tiny_start, tiny_settings):
    recipe = Scripted([0.5, 0.9, 0.1, 0.2, 0.9])
    tuned = training.fine_tune(
        recipe,
        make_examples(0, 16),
        dev=make_examples(16, 8),
        start=tiny_start(),
        settings=tiny_settings(epochs=6, patience=2, batch_size=16),
    )
    assert tuned.history["val_accuracy"] == [0.5, 0.9, 0.1, 0.2]
    assert tuned.report["best_epoch"] == 2
    assert_same(tuned.task.get_weights(), recipe.weights[1])
    assert any((a != b).any() for a, b in zip(recipe.weights[1], recipe.weights[3], strict=True))


@pytest.mark.slow
def test_without_patience_all_epochs_are_trained(make_examples, tiny_start, tiny_settings):
    recipe = Scripted([0.9, 0.1, 0.2, 0.9])
    tuned = training.fine_tune(
        recipe,
        make_examples(0, 16),
        dev=make_examples(16, 8),
        start=tiny_start(),
        settings=tiny_settings(epochs=3),
    )
    assert len(tuned.history["loss"]) == 3
    assert tuned.report["best_epoch"] == 1
    assert_same(tuned.task.get_weights(), recipe.weights[0])


@pytest.mark.slow
def test_folds_judge_and_the_task_is_trained_on_all(make_examples, tiny_start, tiny_settings):
    rows, start, settings = make_examples(0, 16), tiny_start(), tiny_settings()
    tuned = training.fine_tune("classification", rows, start=start, settings=settings, folds=2)
    folds = tuned.report["metrics"]["folds"]
    assert len(folds["values"]) == 2
    accuracies = [fold["accuracy"] for fold in folds["values"]]
    assert folds["mean"]["accuracy"] == pytest.approx(np.mean(accuracies))
    plain = training.fine_tune("classification", rows, start=start, settings=settings)
    assert_same(tuned.task.get_weights(), plain.task.get_weights())


class Killed(BaseException):
    """As if the process were killed: nothing that handles errors sees it."""


class Dying(Scripted):
    """Kills the training when it is to judge what it has no score for."""

    def evaluate(self, task, examples, batch_size=32):
        if len(self._weights) == len(self._accuracies):
            raise Killed
        return super().evaluate(task, examples, batch_size)


@pytest.mark.slow
def test_a_killed_training_of_several_seeds_goes_on_to_the_best_of_them(
    tmp_path, make_examples, tiny_start, tiny_settings
):
    def tune(recipe, output=None, seed=5, seeds=2):
        return training.fine_tune(
            recipe,
            make_examples(0, 16),
            output,
            dev=make_examples(16, 4),
            start=tiny_start(),
            settings=tiny_settings(epochs=2, batch_size=16, seed=seed),
            seeds=seeds,
        )

    # Each seed is judged in its epochs and at its end, and the best once more.
    killed = Dying([0.1, 0.2, 0.2, 0.3])
    with pytest.raises(Killed):
        tune(killed, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == [".run.unfinished"]
    resumed = Scripted([0.2, 0.9, 0.9, 0.9])
    tuned = tune(resumed, tmp_path / "run")
    assert len(resumed.weights) == 4
    assert_same(resumed.weights[0], killed.weights[2])
    assert any((a != b).any() for a, b in zip(resumed.weights[0], resumed.weights[2], strict=True))
    seeds = tuned.report["metrics"]["seeds"]
    assert [(row["seed"], row["dev"]["accuracy"]) for row in seeds["values"]] == [
        (5, 0.2),
        (6, 0.9),
    ]
    assert seeds["dev"]["mean"]["accuracy"] == pytest.approx(0.55)
    assert seeds["dev"]["spread"]["accuracy"] == pytest.approx(np.std([0.2, 0.9], ddof=1))
    assert tuned.history["val_accuracy"] == [0.3, 0.9]
    assert tuned.report["best_epoch"] == 2
    assert tuned.report["seconds"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    alone = tune(Scripted([0.3, 0.9, 0.9]), seed=6, seeds=1)
    assert_same(alone.task.get_weights(), tuned.task.get_weights())


def test_what_another_training_left_is_thrown_away(tmp_path):
    def leave(epochs, fault, metrics=None):
        with UnfinishedRun(tmp_path / "run", {"epochs": epochs}) as unfinished:
            found.append(unfinished.finished("fold_1"))
            if metrics is not None:
                unfinished.finish("fold_1", metrics)
            raise fault

    found = []
    with pytest.raises(Killed):
        leave(1, Killed(), {"accuracy": 0.5})
    with pytest.raises(Killed):
        leave(1, Killed())
    with (
        pytest.raises(ZeroDivisionError),
        pytest.warns(UserWarning, match="of a training with other data or settings"),
    ):
        leave(2, ZeroDivisionError())
    assert found == [None, {"accuracy": 0.5}, None]
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_is_told_before_anything_is_read(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputExistsError, match=r"already exists.*--force"):
        training.fine_tune("classification", tmp_path / "missing.tsv", tmp_path / "run")
    start = training.ModelStart(backbone=tmp_path / "run")
    with pytest.raises(BertEmbedError, match="is, or holds, what is to be read"):
        training.fine_tune(
            "classification", tmp_path / "no.tsv", tmp_path / "run", start=start, overwrite=True
        )
    rows = tmp_path / "data" / "train.tsv"
    rows.parent.mkdir()
    rows.write_text("text\tlabel\n")
    with pytest.raises(BertEmbedError, match="is, or holds, what is to be read"):
        training.fine_tune("classification", rows, rows.parent, overwrite=True)


@pytest.mark.parametrize(
    ("ways", "moved"),
    [
        pytest.param({"layers": "head"}, (False, False, False), marks=pytest.mark.slow),
        pytest.param({"layers": 1}, (False, False, True), marks=pytest.mark.slow),
        ({"unfreeze_every": 1, "epochs": 2}, (False, False, True)),
        ({"lora_rank": 2}, (False, True, True)),
        pytest.param({"layer_decay": 1e-60}, (False, False, False), marks=pytest.mark.slow),
    ],
)
def test_ways_to_fine_tune(ways, moved, two_layers, make_examples, tiny_settings):
    """Whether the embeddings and each of the two layers are moved; the head is in any case."""
    start = training.ModelStart(backbone=two_layers)
    settings = tiny_settings(batch_size=16, **ways)
    tuned = training.fine_tune(
        "classification", make_examples(0, 16), start=start, settings=settings
    )
    old, new = models.load(two_layers), tuned.task.backbone
    found = tuple(
        any(
            (a != b).any()
            for one, other in zip(layers(old), layers(new), strict=True)
            for a, b in zip(plain_weights(one), plain_weights(other), strict=True)
        )
        for layers in (
            lambda backbone: [backbone.token_embedding, backbone.position_embedding],
            lambda backbone: backbone.transformer_layers[:1],
            lambda backbone: backbone.transformer_layers[1:],
        )
    )
    assert found == moved
    head = tuned.task.output_dense.bias
    assert np.abs(np.asarray(head)).max() > 0


def test_a_metric_that_the_recipe_does_not_have(make_examples, tiny_start, tiny_settings):
    recipe = Scripted([0.5])
    recipe.metric = "bleu"
    with pytest.raises(BertEmbedError, match=r"one of loss, accuracy. Received: 'bleu'"):
        training.fine_tune(
            recipe,
            make_examples(0, 8),
            dev=make_examples(8, 4),
            start=tiny_start(),
            settings=tiny_settings(),
        )


def test_a_backbone_shorter_than_the_texts_may_be(two_layers, make_examples, tiny_settings):
    with pytest.raises(BertEmbedError, match="sequence_length"):
        training.fine_tune(
            "classification",
            make_examples(0, 8),
            start=training.ModelStart(backbone=two_layers),
            settings=tiny_settings(sequence_length=17),
        )


def test_the_line_of_a_label_that_training_did_not_see(files, tmp_path, write_tsv):
    dev = write_tsv(tmp_path / "dev.tsv", [("fine", "positive"), ("so so", "mixed")])
    message = "dev.tsv, line 3: The label 'mixed' is not among .*: negative, positive"
    with pytest.raises(FileFormatError, match=message):
        training.fine_tune("classification", files / "train.tsv", dev=dev)


def test_a_training_that_ran_away_is_told():
    layer = keras.layers.Dense(1)
    layer.build((None, 2))
    history = {"loss": [0.5, np.nan], "val_loss": [0.4, np.nan]}
    require_finite(layer, history, 1)
    with pytest.raises(BertEmbedError, match=r"ran away: after epoch 2 .* Received: .* 0.5, nan"):
        require_finite(layer, history, 2)
    layer.bias.assign([np.inf])
    with pytest.raises(BertEmbedError, match="Lower `learning_rate`"):
        require_finite(layer, history, 1)
