"""A progress bar for `fit` that goes to a terminal and nowhere else."""

import contextlib

import keras

from tf_bertembed.common import progress


class ProgressBar(keras.callbacks.Callback):
    """Shows one bar for a whole training, on stderr, only on a terminal.

    For `fit(..., verbose=0)` in programs whose stdout is their result.

    Args:
        description: string. What is being trained.

    Example:

    ```python
    import keras
    import numpy as np
    from tf_bertembed import training

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    bar = training.ProgressBar("Training")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0, callbacks=[bar])
    ```
    """

    def __init__(self, description):
        super().__init__()
        self.description = description
        self._open = contextlib.ExitStack()

    def on_train_begin(self, logs=None):
        steps = self.params.get("steps")
        total = steps * self.params["epochs"] if steps else None
        self._advance = self._open.enter_context(progress(self.description, total))

    def on_train_batch_end(self, batch, logs=None):
        self._advance()

    def on_train_end(self, logs=None):
        self._open.close()
