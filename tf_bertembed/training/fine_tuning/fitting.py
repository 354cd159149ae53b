"""One fit: a task from its start to its best weights."""

import dataclasses
import time

import keras

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.training.fine_tuning.start import StartingModel
from tf_bertembed.training.optimizer import create_optimizer
from tf_bertembed.training.progress_bar import ProgressBar


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
        seconds: float. What the fit took.
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

    def fit(self, model, train, dev, seed, description):
        """Fit one task.

        Args:
            model: a `StartingModel` for these rows.
            train: `Examples`.
            dev: `Examples`, or `None` to train all epochs.
            seed: int. Seeds all that is random.
            description: string, for the progress bar.

        Returns:
            A `Fitted`.
        """
        settings, recipe = self.settings, self.recipe
        keras.utils.set_random_seed(seed)
        task = recipe.make(
            model.backbone(seed),
            model.tokenizer,
            train,
            settings.sequence_length,
            static_words=model.static_words,
            **self.task_options,
        )
        steps = settings.epochs * recipe.steps(task, train, settings.batch_size)
        rate = settings.learning_rate or self.start.learning_rate
        task.compile(create_optimizer(rate, steps, settings.warmup_share, settings.weight_decay))
        callbacks, stopping = [ProgressBar(description)], None
        if dev is not None:
            stopping = keras.callbacks.EarlyStopping(
                monitor=f"val_{recipe.metric}",
                mode="max",
                patience=settings.patience or settings.epochs,
                restore_best_weights=True,
            )
            callbacks += [DevMetrics(recipe, dev, settings.batch_size), stopping]
        began = time.perf_counter()
        history = task.fit(
            **recipe.fit_arguments(train),
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            verbose=0,
            callbacks=callbacks,
        ).history
        seconds = time.perf_counter() - began
        if dev is not None:
            recipe.finish(task, dev, settings.batch_size)
        best = stopping.best_epoch + 1 if stopping else len(history["loss"])
        return Fitted(task, history, best, seconds)
