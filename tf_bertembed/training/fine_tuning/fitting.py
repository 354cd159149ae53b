"""One fit: a task from its start to its best weights."""

import dataclasses
import time

import keras
import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.lora import add_lora
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.training.fine_tuning.start import StartingModel
from tf_bertembed.training.freezing import GradualUnfreezing, set_trainable
from tf_bertembed.training.keep_on_disk import KeepOnDisk
from tf_bertembed.training.optimizer import create_optimizer
from tf_bertembed.training.progress_bar import ProgressBar

# The second for weights that begin at random or at zero.
PRETRAINED_RATE, FRESH_RATE = 5e-5, 1e-3


class DevMetrics(keras.callbacks.Callback):
    """After each epoch, writes the recipe's metrics of the dev set into the logs, as `val_…`.

    Args:
        recipe: a `Recipe`.
        examples: its dev set.
        batch_size: int. Examples in a step.
    """

    def __init__(self, recipe, examples, batch_size):
        super().__init__()
        self.recipe = recipe
        self.examples = examples
        self.batch_size = batch_size

    def on_epoch_end(self, epoch, logs=None):
        metrics = self.recipe.evaluate(self.model, self.examples, self.batch_size)
        if self.recipe.metric not in metrics:
            raise BertEmbedError(
                f"The metric to choose by must be one of {', '.join(metrics)}. Received: "
                f"{self.recipe.metric!r}."
            )
        logs.update({f"val_{name}": value for name, value in metrics.items()})


@dataclasses.dataclass
class Fitted:
    """A fitted task with the weights of its best epoch.

    Args:
        task: the task.
        history: dict of lists, one number an epoch.
        best_epoch: int. The epoch whose weights it has, counted from 1.
        seconds: float. What the fit took, with the parts before a kill.
    """

    task: BertEmbedTask
    history: dict
    best_epoch: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Trial:
    """All that a fit takes beside its rows and its seed."""

    recipe: object
    start: object
    settings: object
    task_options: dict

    def prepared(self, train):
        """The start, made ready for the rows to train on."""
        return StartingModel(
            self.start,
            list(self.recipe.texts(train)),
            self.settings.sequence_length,
            self.settings.precision,
            self.settings.seed,
        )

    def fit(self, model, train, dev, seed, description, place=None):
        """Fit one task.

        Args:
            model: a `StartingModel` for these rows.
            train: `Examples`.
            dev: `Examples`, or `None` to train all epochs.
            seed: int. Seeds all that is random.
            description: string, for the progress bar.
            place: `pathlib.Path`. The folder to keep the state of the training in, and to go
                on from, also after its end; `None` for none.

        Returns:
            A `Fitted`.
        """
        settings, recipe = self.settings, self.recipe
        keras.utils.set_random_seed(seed)
        backbone = model.backbone(seed)
        if settings.lora_rank is not None:
            layers = None if settings.layers == "all" else settings.layers
            add_lora(backbone, settings.lora_rank, settings.lora_alpha, layers=layers)
        task = recipe.make(
            backbone,
            model.tokenizer,
            train,
            settings.sequence_length,
            static_words=model.static_words,
            **self.task_options,
        )
        set_trainable(
            task,
            "lora" if settings.lora_rank is not None else settings.layers,
            self.start.static_trainable,
        )
        task.compile(self._optimizer(task, train))
        callbacks, stopping, kept = [ProgressBar(description)], None, None
        if settings.unfreeze_every is not None:
            callbacks.append(GradualUnfreezing(settings.unfreeze_every))
        if dev is not None:
            stopping = keras.callbacks.EarlyStopping(
                monitor=f"val_{recipe.metric}",
                mode="max",
                patience=settings.patience or settings.epochs,
                restore_best_weights=True,
            )
            callbacks += [DevMetrics(recipe, dev, settings.batch_size), stopping]
        if place is not None:
            kept = KeepOnDisk(place, stopping, keep=True)
            callbacks.append(kept)
        began = time.perf_counter()
        history = task.fit(
            **recipe.fit_arguments(train),
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            verbose=0,
            callbacks=callbacks,
        ).history
        seconds = time.perf_counter() - began if kept is None else kept.seconds
        best = stopping.best_epoch + 1 if stopping else len(history["loss"])
        require_finite(task, history, best)
        if dev is not None:
            recipe.finish(task, dev, settings.batch_size)
        return Fitted(task, history, best, seconds)

    def _optimizer(self, task, train):
        settings = self.settings
        by_layer = (settings.layer_decay, settings.head_factor) != (1.0, 1.0)
        fresh = self.start.backbone is None or settings.lora_rank or settings.layers == "head"
        return create_optimizer(
            settings.learning_rate or (FRESH_RATE if fresh else PRETRAINED_RATE),
            settings.epochs * self.recipe.steps(task, train, settings.batch_size),
            settings.warmup_share,
            settings.weight_decay,
            layer_decay=settings.layer_decay,
            head_factor=settings.head_factor,
            task=task if by_layer else None,
        )


def require_finite(task, history, epoch):
    """Raise where a training ran away: its answers would be of one class, or of none."""
    losses = [history[name][epoch - 1] for name in ("loss", "val_loss") if name in history]
    weights = (np.isfinite(variable.numpy()).all() for variable in task.trainable_variables)
    if not (np.isfinite(losses).all() and all(weights)):
        raise BertEmbedError(
            f"The training ran away: after epoch {epoch} the loss or the weights are no finite "
            "numbers. Lower `learning_rate` (--learning-rate). Received: losses of "
            f"{', '.join(f'{loss:.4g}' for loss in history['loss'])}."
        )
