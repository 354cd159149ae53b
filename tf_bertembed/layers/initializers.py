"""The weights that a layer starts with, drawn only where they are used."""

import contextlib
import contextvars

import keras
from keras import ops

_SKIPPED = contextvars.ContextVar("skipped", default=None)


@keras.saving.register_keras_serializable("tf_bertembed")
class BertInitializer(keras.initializers.TruncatedNormal):
    """BERT's initial weights: normal, deviation 0.02, cut at two deviations.

    Args:
        mean: float. The mean of the values before the cut.
        stddev: float. The deviation of the values before the cut.
        seed: int or `keras.random.SeedGenerator`; `None` draws one from
            Keras's seed.
    """

    def __init__(self, mean=0.0, stddev=0.02, seed=None):
        super().__init__(mean=mean, stddev=stddev, seed=seed)

    def __call__(self, shape, dtype=None):
        skipped = _SKIPPED.get()
        if skipped is None:
            return super().__call__(shape, dtype)
        skipped.append(self)
        return ops.zeros(shape, dtype)


def bert_initializer():
    """The initializer of a new weight, with a seed of its own."""
    return BertInitializer()


@contextlib.contextmanager
def without_drawing():
    """Within, weights of a `BertInitializer` begin as zeros, for a checkpoint to fill.

    To draw what is then overwritten takes half the time of loading. An initializer keeps its
    seed: called later, it draws what it would have.

    Yields:
        A list that grows by each initializer as it is called.
    """
    token = _SKIPPED.set([])
    try:
        yield _SKIPPED.get()
    finally:
        _SKIPPED.reset(token)
