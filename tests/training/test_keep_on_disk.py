"""A training that is cut off and taken up ends with the weights of one that was not."""

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks, training
from tf_bertembed.common import BertEmbedError, FileFormatError

RANDOM = np.random.default_rng(0)
COUNT = 4
FEATURES = {
    "token_ids": RANDOM.integers(1, 40, (COUNT, 6)).astype("int32"),
    "segment_ids": np.zeros((COUNT, 6), "int32"),
    "padding_mask": np.ones((COUNT, 6), bool),
    "static_ids": RANDOM.integers(0, 9, (COUNT, 6)).astype("int32"),
}
LABELS = RANDOM.integers(0, 2, COUNT)


class Killed(Exception):
    pass


class Killer(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == 0:
            raise Killed


class Score(keras.callbacks.Callback):
    """By a score that no training has a hand in, the second epoch is the best."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_score"] = [1.0, 3.0, 2.0, 2.5, 0.0][epoch]


def make(lora=False):
    backbone = models.BertEmbedBackbone(
        40,
        1,
        2,
        8,
        16,
        dropout=0.2,
        static_vocabulary_size=9,
        static_dim=3,
        input_fusion="add",
        static_dropout=0.3,
    )
    backbone.set_static_vectors(np.vstack([np.zeros((1, 3)), np.arange(24).reshape(8, 3)]))
    if lora:
        models.add_lora(backbone, 2)
    task = tasks.TextClassifier(backbone, 2)
    task.compile(training.create_optimizer(0.01, steps=20), run_eagerly=True)
    return task


def train(folder, seed, epochs=3, kill=None, stopping=None, extra=(), lora=False, start=7):
    # The weights at the start are the same, all that is drawn later is not.
    keras.utils.set_random_seed(start)
    task = make(lora)
    keras.utils.set_random_seed(seed)
    callbacks = [*extra, Score()]
    if stopping is not None:
        callbacks.append(stopping)
    callbacks.append(training.KeepOnDisk(folder, early_stopping=stopping))
    if kill is not None:
        callbacks.append(Killer(kill))
    history = task.fit(
        FEATURES, LABELS, batch_size=2, epochs=epochs, verbose=0, callbacks=callbacks
    )
    return task, history


def same(one, other):
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))


@pytest.mark.parametrize("way", ["lora", pytest.param("unfreezing", marks=pytest.mark.slow)])
def test_ends_with_the_same_weights(way, tmp_path):
    arguments = {"lora": way == "lora"}

    def extra():
        return [training.GradualUnfreezing()] if way == "unfreezing" else []

    whole, history = train(tmp_path / "whole", seed=1, extra=extra(), **arguments)
    with pytest.raises(Killed):
        train(tmp_path / "cut", seed=1, kill=1, extra=extra(), **arguments)
    assert [path.name for path in (tmp_path / "cut").iterdir()] == ["training_state.npz"]
    # Another start and another seed: all comes from the file.
    again, later = train(tmp_path / "cut", seed=5, extra=extra(), start=8, **arguments)
    same(again, whole)
    assert later.epoch == history.epoch == [0, 1, 2]
    assert later.history == history.history
    assert int(again.optimizer.iterations) == 3 * 2
    assert not list((tmp_path / "cut").iterdir())


@pytest.mark.slow
def test_early_stopping_goes_on(tmp_path):
    def stopping():
        return keras.callbacks.EarlyStopping(
            "val_score", mode="max", patience=2, restore_best_weights=True
        )

    first, second = stopping(), stopping()
    whole, history = train(tmp_path / "whole", seed=1, epochs=5, stopping=first)
    assert len(history.epoch) == 4
    with pytest.raises(Killed):
        train(tmp_path / "cut", seed=1, epochs=5, kill=3, stopping=stopping())
    again, later = train(tmp_path / "cut", seed=5, epochs=5, stopping=second, start=8)
    same(again, whole)
    assert later.history == history.history
    assert (second.best_epoch, second.stopped_epoch) == (1, 3)


@pytest.mark.slow
def test_a_training_that_had_ended_is_not_gone_on_with(tmp_path):
    stopping = keras.callbacks.EarlyStopping("val_score", mode="max", patience=2)
    kept = training.KeepOnDisk(tmp_path)
    kept.on_train_end = lambda logs=None: None
    task = make()
    arguments = {"batch_size": 2, "epochs": 5, "verbose": 0}
    task.fit(FEATURES, LABELS, callbacks=[Score(), stopping, kept], **arguments)
    # Killed between the last epoch and the end.
    other = make()
    callbacks = [Score(), training.KeepOnDisk(tmp_path)]
    history = other.fit(FEATURES, LABELS, callbacks=callbacks, **arguments)
    same(other, task)
    assert len(history.epoch) == 4


def test_files_that_cannot_be_taken_up(tmp_path):
    with pytest.raises(Killed):
        train(tmp_path, seed=1, kill=1)
    place = tmp_path / "training_state.npz"
    before = place.read_bytes()
    with pytest.raises(BertEmbedError, match=r"is of another training: it differs in"):
        train(tmp_path, seed=1, lora=True)
    for broken in (before[:1000], b"text", b""):
        place.write_bytes(broken)
        with pytest.raises(FileFormatError, match=r"No state of a training, or a broken one"):
            train(tmp_path, seed=1)


CHILD = """
import os, signal, sys
sys.path[:0] = [{project!r}, {tests!r}]
import test_keep_on_disk as parts

class Killer(parts.Killer):
    def on_train_batch_end(self, batch, logs=None):
        if self.now == 1:
            os.kill(os.getpid(), signal.SIGKILL)

parts.Killer = Killer
parts.train({folder!r}, seed=1, kill=1)
"""


@pytest.mark.slow
def test_a_process_that_is_killed(tmp_path):
    whole, history = train(tmp_path / "whole", seed=1)
    here = Path(__file__).resolve()
    places = {"project": str(here.parents[2]), "tests": str(here.parent)}
    code = CHILD.format(**places, folder=str(tmp_path / "cut"))
    child = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    again, later = train(tmp_path / "cut", seed=5, start=8)
    same(again, whole)
    assert later.history == history.history
