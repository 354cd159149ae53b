"""The scores of pairs of texts, as what a cosine should be."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError


def cosine(first, second):
    """Cosines of vectors `[..., D]`, which may be of length 0: `[...]` float32."""
    return tf.reduce_sum(_unit(first) * _unit(second), axis=-1)


def cosine_table(first, second):
    """Cosines of each of `[B, D]` with each of `[C, D]`: `[B, C]` float32."""
    return tf.matmul(_unit(first), _unit(second), transpose_b=True)


def _unit(vectors):
    return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1, epsilon=1e-24)


class ScoreRange:
    """The scores that stand for cosines 0 and 1, and all between.

    Args:
        score_range: pair of floats. The scores of texts that have nothing in common, and of
            texts that mean the same.

    Raises:
        BertEmbedError: where they are no two numbers, the lower one first.
    """

    def __init__(self, score_range):
        try:
            self.low, self.high = map(float, score_range)
        except (TypeError, ValueError):
            self.low = self.high = np.nan
        if not -np.inf < self.low < self.high < np.inf:
            raise BertEmbedError(
                "`score_range` must be two numbers, the lower one first. Received: "
                f"{score_range!r}."
            )

    def encode(self, y):
        """Turn scores `[N]` into the cosines to learn, float32 `[N]`."""
        y = np.asarray(y.numpy() if tf.is_tensor(y) else y)
        if y.ndim != 1 or y.dtype.kind not in "iuf":
            raise BertEmbedError(
                "One score a pair was expected, numbers of shape (N,). Received: "
                f"{y.dtype} of shape {y.shape}."
            )
        wrong = y[~((y >= self.low) & (y <= self.high))]
        if wrong.size:
            raise BertEmbedError(f"{self._expected()} Received: {wrong[:5].tolist()}.")
        return ((y - self.low) / (self.high - self.low)).astype("float32")

    def encode_batches(self, dataset):
        """The same for a dataset of batches `(x, y)` or `(x, y, sample_weight)`."""
        return dataset.map(lambda x, y, *weight: (x, self._in_graph(y), *weight))

    def _in_graph(self, y):
        if y.dtype == tf.string:
            raise BertEmbedError("Scores must be numbers. Received: a dataset with strings.")
        y = tf.cast(y, tf.float32)
        wrong = tf.boolean_mask(y, ~((y >= self.low) & (y <= self.high)))
        problem = [self._expected(), "Received:", wrong]
        with tf.control_dependencies([tf.Assert(tf.size(wrong) == 0, problem, summarize=5)]):
            return (y - self.low) / (self.high - self.low)

    def _expected(self):
        return (
            f"Scores must be from {self.low:g} to {self.high:g}, as `score_range` says; pass "
            "another one, such as `score_range=(0, 5)`, for others."
        )
