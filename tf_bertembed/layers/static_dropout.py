"""Words that lose their vector in training."""

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError


@keras.saving.register_keras_serializable("tf_bertembed")
class StaticDropout(keras.layers.Layer):
    """Takes the vector from a share of the words in training.

    A word that is drawn gets the row 0, as a word that has no vector: all its
    pieces lose it together, and what remains is not scaled up. So a model
    learns not to lean on word vectors alone, and what an unknown word looks
    like. Pieces in a row with the same id count as one word. Outside training
    nothing is dropped.

    Args:
        rate: float. The share of the words, from 0 to 1.
        seed: int. Where the drawing starts; `None` for Keras's own
            (`keras.utils.set_random_seed`).
        **kwargs: passed to `keras.layers.Layer` (`name`, ...).

    Raises:
        BertEmbedError: where `rate` is no share.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    ids = np.array([[0, 7, 7, 7, 4, 0]], "int32")
    dropped = np.asarray(layers.StaticDropout(0.5, seed=1)(ids, training=True))
    assert set(dropped[0, 1:4]) in ({0}, {7}) and dropped[0, 4] in (0, 4)
    ```

    References:
        Dropping words whole: Iyyer et al., 2015,
        https://aclanthology.org/P15-1162
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise BertEmbedError(f"`static_dropout` must be from 0 to 1. Received: {rate}.")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, static_ids, training=False):
        if not training or not self.rate:
            return static_ids
        drawn = keras.random.uniform(
            ops.shape(static_ids), dtype="float32", seed=self.seed_generator
        )
        # Every piece takes what was drawn for its word.
        changes = ops.cast(static_ids[:, 1:] != static_ids[:, :-1], "int32")
        words = ops.pad(ops.cumsum(changes, axis=1), [[0, 0], [1, 0]])
        stays = ops.take_along_axis(drawn, words, axis=1) >= self.rate
        return static_ids * ops.cast(stays, static_ids.dtype)

    def compute_output_spec(self, static_ids, training=False):
        return keras.KerasTensor(static_ids.shape, dtype=static_ids.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
