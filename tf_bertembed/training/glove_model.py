"""GloVe's model: two tables of vectors and biases, and the step that trains them."""

import keras
import numpy as np
import tensorflow as tf

from tf_bertembed.common import derive_seed


class GloveModel(keras.Model):
    """Weighted least squares on the logarithms of co-occurrences, by AdaGrad.

    The bias of a word is the last number of its row. AdaGrad adds up the
    squares of the gradients of single co-occurrences, as if they had come one
    by one; those of a batch share one step, with the sums that include their
    own. As in Stanford's program the sums are of squared gradients times
    learning rate and start at 1, and biases have the learning rate 1.

    Args:
        num_words: int. The number of words, W.
        vector_size: int. The width of a vector, S.
        learning_rate: float. AdaGrad's learning rate of the vectors.
        seed: int. Seed of the starting values, uniform within 0.5 / S of 0.
    """

    def __init__(self, num_words, vector_size, learning_rate, seed):
        super().__init__(name="glove")
        reach = 0.5 / vector_size
        self.tables = []
        for name in ("word", "context"):
            start = keras.initializers.RandomUniform(-reach, reach, derive_seed(seed, name))
            shape = (num_words, vector_size + 1)
            table = self.add_weight(shape, start, name=f"{name}_table")
            squares = self.add_weight(shape, "ones", trainable=False, name=f"{name}_squares")
            self.tables.append((table, squares))
        self.rates = [learning_rate] * vector_size + [1.0]
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self):
        return [self.mean_loss]

    def train_step(self, batch):
        """Learn from a batch of `GloveBatches`."""
        (words, _), (contexts, _) = self.tables
        words = tf.gather(words.value, batch["words"])
        contexts = tf.gather(contexts.value, batch["contexts"])
        # [w, b, 1] times [c, 1, b'] is the whole sum, and each is the other's gradient.
        wide_words = tf.concat([words, tf.ones_like(words[:, :1])], axis=1)
        wide_contexts = tf.concat(
            [contexts[:, :-1], tf.ones_like(contexts[:, :1]), contexts[:, -1:]], axis=1
        )
        of_words = tf.gather(wide_words, batch["word_places"])
        of_contexts = tf.gather(wide_contexts, batch["context_places"])
        difference = tf.reduce_sum(of_words * of_contexts, axis=1) - batch["log_counts"]
        error = batch["weights"] * difference
        self.mean_loss.update_state(0.5 * error * difference)

        sums = _sums(error, of_contexts, batch["word_places"])
        self._learn(0, batch["words"], words, [part[:, :-1] for part in sums])
        order = batch["by_context"]
        places = tf.gather(batch["context_places"], order)
        sums = _sums(tf.gather(error, order), tf.gather(of_words, order), places)
        sums = [tf.concat([part[:, :-2], part[:, -1:]], axis=1) for part in sums]
        self._learn(1, batch["contexts"], contexts, sums)
        return {"loss": self.mean_loss.result()}

    def _learn(self, number, rows, values, sums):
        table, squares = (variable.value for variable in self.tables[number])
        rates = tf.constant(self.rates)
        total, added = sums
        summed = tf.gather(squares, rows) + rates**2 * added
        values -= rates * total * tf.math.rsqrt(summed)
        squares.scatter_update(tf.IndexedSlices(summed, rows))
        table.scatter_update(tf.IndexedSlices(values, rows))

    def is_finite(self):
        """Whether all numbers of the tables and of AdaGrad's sums are finite."""
        return all(np.isfinite(part.numpy()).all() for pair in self.tables for part in pair)

    def summed_vectors(self):
        """Each word's vector and its vector as a context, added.

        Returns:
            A float32 array of shape [W, S].
        """
        (words, _), (contexts, _) = self.tables
        return words.numpy()[:, :-1] + contexts.numpy()[:, :-1]


def _sums(error, partners, places):
    """Gradients of single co-occurrences and their squares, each added up by word."""
    gradients = error[:, None] * partners
    return tf.math.segment_sum(gradients, places), tf.math.segment_sum(gradients**2, places)
