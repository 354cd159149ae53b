"""A training that was killed, taken up where it stopped."""

import json
import time
import zipfile
from pathlib import Path

import keras
import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError, atomic_path

FILE = "training_state.npz"
# What `keras.callbacks.EarlyStopping` knows beside its weights.
_STOPPING = ("best", "wait", "best_epoch", "stopped_epoch")


class KeepOnDisk(keras.callbacks.Callback):
    """Writes all that a training needs to go on, after each epoch.

    Where `fit` finds such a file it goes on after the last epoch that was
    completed and ends with the very weights that it would have ended with: the
    file holds the weights (those of `models.add_lora` apart from the kernels),
    the optimizer, the states of dropout, the order of the texts, the history,
    and what early stopping remembers. A task's `fit` on arrays orders them by
    a seed that is kept too; a dataset has to order itself by the epoch. Build
    and compile the task as before; then call `fit` with the same arguments.
    When it ends, the file is removed.

    `seconds` is how long the training took up to its last epoch, all its
    parts together.

    Args:
        folder: string or `pathlib.Path`. Where the file is; made if need be.
        early_stopping: a `keras.callbacks.EarlyStopping` that stands before
            this callback in the list, or `None`. This one comes last.
        keep: bool. Whether the file stays when training ends: `fit` then finds
            nothing to train, and gives the task its weights again.

    Raises:
        FileFormatError: in `fit`, where the file cannot be read.
        BertEmbedError: in `fit`, where it was written by another training.

    Example:

    ```python
    from tf_bertembed import models, tasks, text, training

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
    classifier = tasks.TextClassifier(
        models.BertEmbedBackbone(7, 1, 2, 8, 16), 2, text.Preprocessor(tokenizer, 8)
    )
    kept = training.KeepOnDisk("state")
    classifier.fit(["good", "bad"], [1, 0], epochs=1, verbose=0, callbacks=[kept])
    ```
    """

    def __init__(self, folder, early_stopping=None, keep=False):
        super().__init__()
        self.path = Path(folder) / FILE
        self.early_stopping = early_stopping
        self.keep = keep
        self.seconds = 0.0
        self._history = {}

    def _variables(self):
        """Names and variables of the state, without metrics, which begin anew with each epoch."""
        metrics = {id(variable) for variable in self.model.metrics_variables}
        own = [v for v in self.model.variables if id(v) not in metrics]
        # Not their paths, in which Keras counts the models of a process.
        return [(v.name, v) for v in (*own, *self.model.optimizer.variables)]

    def on_train_begin(self, logs=None):
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._history, before = {}, 0.0
        if self.path.exists():
            before = self._take_up()
        self.seconds, self._began = before, time.perf_counter() - before

    def _read(self):
        try:
            with self.path.open("rb") as place, np.load(place, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(arrays.pop("about").tobytes())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise FileFormatError(
                self.path, f"No state of a training, or a broken one ({error}). Remove it."
            ) from error
        return about, arrays

    def _take_up(self):
        """Set all to what the file says; answer how many seconds went before."""
        about, arrays = self._read()
        variables = self._variables()
        ours = [[name, list(variable.shape)] for name, variable in variables]
        if about["variables"] != ours:
            pairs = zip(about["variables"], ours, strict=False)
            place = next((pair for pair in pairs if pair[0] != pair[1]), "their number")
            raise BertEmbedError(
                f"{self.path} is of another training: it differs in {place}. Compile the task as "
                "before, choose another folder, or remove the file."
            )
        for index, (_, variable) in enumerate(variables):
            variable.assign(arrays[f"variable_{index}"])
        order = getattr(self.model, "_epoch_order", None)
        if order is not None and about["order"] is not None:
            order.seed.assign(about["order"])
        if self.early_stopping is not None:
            for name, value in about["stopping"].items():
                setattr(self.early_stopping, name, value)
            count = sum(name.startswith("best_") for name in arrays)
            self.early_stopping.best_weights = [arrays[f"best_{i}"] for i in range(count)] or None
        self._history = about["history"]
        # Keras begins there; where early stopping had ended it, with no epoch at all.
        ended = about["stopped"]
        self.model._initial_epoch = np.iinfo("int32").max if ended else about["epoch"] + 1
        return about["seconds"]

    def _restore_history(self):
        if self._history and not self.model.history.epoch:
            self.model.history.history = {k: list(v) for k, v in self._history.items()}
            self.model.history.epoch = list(range(len(next(iter(self._history.values())))))

    def on_epoch_begin(self, epoch, logs=None):
        # Keras's own callback is reset after this one's beginning.
        self._restore_history()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self._history.setdefault(name, []).append(float(value))
        variables, arrays = self._variables(), {}
        for index, (_, variable) in enumerate(variables):
            value = keras.ops.convert_to_numpy(variable)
            # NumPy's files have no bfloat16, and float32 holds each of its numbers.
            arrays[f"variable_{index}"] = (
                value.astype("float32") if value.dtype.name == "bfloat16" else value
            )
        stopping, order = self.early_stopping, getattr(self.model, "_epoch_order", None)
        known = {}
        if stopping is not None:
            known = {name: getattr(stopping, name) for name in _STOPPING}
            for index, weights in enumerate(stopping.best_weights or ()):
                arrays[f"best_{index}"] = weights
        self.seconds = time.perf_counter() - self._began
        about = {
            "epoch": epoch,
            "history": self._history,
            "order": None if order is None else int(order.seed.numpy()),
            "seconds": self.seconds,
            "stopped": bool(self.model.stop_training),
            "stopping": {
                k: v if v is None else float(v) if k == "best" else int(v) for k, v in known.items()
            },
            "variables": [[name, list(variable.shape)] for name, variable in variables],
        }
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), "uint8")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.path, overwrite=True) as place, place.open("wb") as file:
            np.savez(file, **arrays)

    def on_train_end(self, logs=None):
        self._restore_history()
        self.model._initial_epoch = 0
        if not self.keep:
            self.path.unlink(missing_ok=True)
