"""The table of word vectors that travels inside the model."""

import keras
import numpy as np
from keras import ops

from tf_bertembed.common import BertEmbedError

NORMALIZATIONS = (None, "unit", "standard")
EPSILON = 1e-6


@keras.saving.register_keras_serializable("tf_bertembed")
class StaticEmbedding(keras.layers.Layer):
    """Looks up word vectors by `static_ids`; row 0 means "no vector".

    Row 0 is zeros and stays zeros, also where the table is trained.

    Args:
        vocabulary_size: int. The rows of the table: the words, and row 0.
        static_dim: int. The width S of a word vector.
        normalize: string. What is made of a vector that is looked up: `"unit"`
            brings it to length 1, `"standard"` its components to mean 0 and
            variance 1; `None` leaves it. The table itself keeps what it was
            given, and a vector of zeros stays one.
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`,
            `trainable`, ...).

    Raises:
        BertEmbedError: where a size is not positive, or `normalize` is none
            of these.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    table = layers.StaticEmbedding(3, static_dim=2)
    table.set_vectors([[0, 0], [1, 2], [3, 4]])
    assert np.allclose(table(np.array([[2, 0]])), [[[3, 4], [0, 0]]])
    ```
    """

    def __init__(self, vocabulary_size, static_dim, normalize=None, **kwargs):
        super().__init__(**kwargs)
        if normalize not in NORMALIZATIONS:
            raise BertEmbedError(
                f"`static_normalize` must be one of {list(NORMALIZATIONS)}. "
                f"Received: {normalize!r}."
            )
        if vocabulary_size < 1 or static_dim < 1:
            raise BertEmbedError(
                "A table of word vectors needs at least row 0 and a width. Received: "
                f"static_vocabulary_size={vocabulary_size}, static_dim={static_dim}."
            )
        self.vocabulary_size = vocabulary_size
        self.static_dim = static_dim
        self.normalize = normalize
        self.build()

    def build(self, input_shape=None):
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.vocabulary_size, self.static_dim),
            initializer="zeros",
            # Casting the rows looked up is cheap, casting the table is not.
            autocast=False,
        )
        self.built = True

    def set_vectors(self, matrix):
        """Fill the table.

        Args:
            matrix: array of shape `[vocabulary_size, static_dim]`, float.
                Row 0 must be zeros (see `vectors.static_table`).

        Raises:
            BertEmbedError: where the shape differs, row 0 is not zeros, or a
                value is not finite.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import layers

        table = layers.StaticEmbedding(2, static_dim=2)
        table.set_vectors(np.array([[0, 0], [1, 2]]))
        assert np.allclose(table.vectors[1], [1, 2])
        ```
        """
        matrix = np.asarray(matrix, "float32")
        expected = (self.vocabulary_size, self.static_dim)
        if matrix.shape != expected:
            raise BertEmbedError(
                "The word vectors do not fit the table: expected shape (static_vocabulary_size, "
                f"static_dim) = {expected}. Received: shape {matrix.shape}."
            )
        if matrix[0].any():
            raise BertEmbedError(
                "Row 0 of the word vectors stands for words without a vector and must be zeros. "
                f"Received: {matrix[0][:4]}..."
            )
        if not np.isfinite(matrix).all():
            row = int(np.argwhere(~np.isfinite(matrix))[0, 0])
            raise BertEmbedError(f"Row {row} of the word vectors holds NaN or infinity.")
        self.vectors.assign(matrix)

    def _normalized(self, rows):
        if self.normalize == "unit":
            return rows * ops.rsqrt(ops.maximum(ops.sum(rows * rows, -1, keepdims=True), EPSILON))
        if self.normalize == "standard":
            rows = rows - ops.mean(rows, -1, keepdims=True)
            return rows * ops.rsqrt(ops.mean(rows * rows, -1, keepdims=True) + EPSILON)
        return rows

    def call(self, static_ids):
        known = ops.cast(ops.expand_dims(static_ids > 0, -1), "float32")
        rows = self._normalized(ops.take(self.vectors, static_ids, axis=0)) * known
        return ops.cast(rows, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.static_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "static_dim": self.static_dim,
            "normalize": self.normalize,
        }
