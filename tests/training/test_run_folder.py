import json

import numpy as np
import pytest

from tf_bertembed import models, tasks, text, training


@pytest.fixture(scope="module")
def task():
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
    backbone = models.BertEmbedBackbone(
        7, 1, 2, 8, 16, max_sequence_length=16, static_vocabulary_size=3, static_dim=2,
        output_fusion="concat",
    )  # fmt: skip
    backbone.set_static_vectors(np.array([[0, 0], [1, 2], [3, 4]]))
    preprocessor = text.Preprocessor(tokenizer, 16, static_words=["good", "bad"])
    return tasks.TextClassifier(backbone, ["no", "yes"], preprocessor)


def test_a_run_is_complete_and_answers_alike(task, tmp_path):
    history = {"loss": [0.7, 0.6], "accuracy": [0.5, 0.75]}
    folder = training.save_run(tmp_path / "run", task, history, {"accuracy": 0.75})
    assert json.loads((folder / "metrics.json").read_text()) == {"accuracy": 0.75}
    assert (folder / "history.csv").read_text().splitlines()[2] == "2,0.6,0.75"
    assert (folder / "history.png").read_bytes().startswith(b"\x89PNG")
    assert text.load_vocabulary(folder / "vocab.txt") == [*text.SPECIAL_TOKENS, "good", "bad"]
    loaded = tasks.TextClassifier.from_preset(folder)
    texts = ["good bad", "bad"]
    np.testing.assert_array_equal(loaded.predict(texts, verbose=0), task.predict(texts, verbose=0))


def test_a_run_that_is_there_stays_untouched(task, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes").write_text("mine")
    with pytest.raises(FileExistsError, match="already exists"):
        training.save_run(tmp_path / "run", task, {"loss": [1.0]}, {})
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == ["notes"]


def test_a_run_that_fails_leaves_nothing(task, tmp_path):
    with pytest.raises(ValueError, match="no history to write"):
        training.save_run(tmp_path / "run", task, {}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_task_without_preprocessor_is_refused(tmp_path):
    task = tasks.TextClassifier(models.BertEmbedBackbone(7, 1, 2, 8, 16), 2)
    with pytest.raises(ValueError, match="give the task a `preprocessor`"):
        training.save_run(tmp_path / "run", task, {"loss": [1.0]}, {})


def test_validation_every_few_epochs_is_kept(task, tmp_path):
    history = {"loss": [0.7, 0.6, 0.5], "val_loss": [0.65]}
    folder = training.save_run(tmp_path / "run", task, history, {"loss": np.float32(0.5)})
    assert (folder / "history.csv").read_text().splitlines()[1:] == [
        "1,0.7,0.65",
        "2,0.6,",
        "3,0.5,",
    ]
    assert json.loads((folder / "metrics.json").read_text()) == {"loss": 0.5}


def test_a_metric_that_is_not_finite_is_named(task, tmp_path):
    with pytest.raises(ValueError, match="`loss` is no finite number"):
        training.save_run(tmp_path / "run", task, {"loss": [1.0]}, {"loss": float("nan")})
