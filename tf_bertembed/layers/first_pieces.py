"""The vector of each word: that of its first piece."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tf_bertembed")
class FirstPieces(keras.layers.Layer):
    """Takes out the vectors of the pieces that words begin with.

    A text may stand in several rows, its windows, one after the other.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    x = np.arange(12.0).reshape(3, 4, 1)  # the windows of two texts, of two and of one
    places = np.array([[1, 6], [2, -1]])
    words = layers.FirstPieces()(x, np.array([2, 1]), places)
    assert np.asarray(words)[:, :, 0].tolist() == [[1, 6], [10, 0]]
    ```
    """

    def call(self, x, window_counts, word_places):
        """Gather.

        Args:
            x: floats `[N, T, D]`. Vectors of pieces.
            window_counts: ints `[B]`. How many of the N rows each text has.
            word_places: ints `[B, W]`. The place of each word in the rows of
                its text, laid end to end; -1 for no word.

        Returns:
            Floats `[B, W, D]`, zeros where there is no word.
        """
        first = ops.expand_dims(ops.cumsum(window_counts) - window_counts, -1)
        rows = ops.cast(first * ops.shape(x)[1], word_places.dtype) + word_places
        there = word_places >= 0
        flat = ops.reshape(x, (-1, x.shape[-1]))
        found = ops.take(flat, ops.where(there, rows, 0), axis=0)
        return found * ops.cast(ops.expand_dims(there, -1), found.dtype)

    def compute_output_shape(self, x_shape, window_counts_shape=None, word_places_shape=None):
        return (*(word_places_shape or (None, None)), x_shape[-1])
