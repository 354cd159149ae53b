"""Co-occurrences in batches, sorted so that gradients of one word stand together."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import derive_seed

# More at a time and frequent words go too far in one step; fewer, and steps cost more than work.
MOST = 1 << 14
# A small corpus still wants so many steps in an epoch, or its words go too far as well.
STEPS = 100


def default_batch_size(number):
    """How many of so many co-occurrences make a batch."""
    return max(1, min(MOST, number // STEPS))


class GloveBatches:
    """Batches of co-occurrences, drawn at random, the same in every epoch.

    Within a batch co-occurrences are sorted by word. The words and the
    contexts of a batch are numbered on their own, so that a step touches
    their rows of the tables once, however often they occur.

    Args:
        matrix: scipy sparse matrix of shape [W, W]. How often words meet.
        batch_size: int. Co-occurrences in a batch.
        x_max: float. From how many on a co-occurrence has the full weight 1.
        alpha: float. The power by which the weight of fewer falls.
        seed: int. Chooses the batches.
    """

    def __init__(self, matrix, batch_size, x_max, alpha, seed):
        met = matrix.tocoo()
        self.size = met.nnz
        self.batch_size = batch_size
        self.steps = -(-self.size // batch_size)
        draw = np.random.default_rng(derive_seed(seed, "glove batches"))
        order = draw.permutation(self.size)
        rows, columns = met.row.astype(np.int32), met.col.astype(np.int32)
        log_counts = np.log(met.data).astype(np.float32)
        weights = np.minimum((met.data / x_max) ** alpha, 1).astype(np.float32)
        self.mean_weight = float(np.mean(weights))
        self.loss_of_zeros = float(np.mean(0.5 * weights * log_counts**2))
        parts = []
        for start in range(0, self.size, batch_size):
            chosen = order[start : start + batch_size]
            chosen = chosen[np.argsort(_key(rows[chosen], columns[chosen]))]
            words, word_places = _numbered(rows[chosen])
            by_context = np.argsort(_key(columns[chosen], rows[chosen])).astype(np.int32)
            contexts, places = _numbered(columns[chosen][by_context])
            context_places = np.empty_like(places)
            context_places[by_context] = places
            parts.append(
                {
                    "words": words,
                    "contexts": contexts,
                    "word_places": word_places,
                    "context_places": context_places,
                    "by_context": by_context,
                    "log_counts": log_counts[chosen],
                    "weights": weights[chosen],
                }
            )
        # One long array of each, and where the batches end: batches differ in words and contexts.
        self._arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._ends = {
            name: np.cumsum([0] + [len(part[name]) for part in parts]) for name in parts[0]
        }

    def dataset(self):
        """Make the batches of an epoch.

        Returns:
            A `tf.data.Dataset` of dicts. `words` [U] and `contexts` [C] are
            rows of the tables; for each of B co-occurrences `word_places` and
            `context_places` [B] are its places among those, `weights` and
            `log_counts` [B] its weight and logarithm; `by_context` [B] sorts
            co-occurrences by context.
        """
        arrays = {name: tf.constant(array) for name, array in self._arrays.items()}
        ends = {name: tf.constant(array) for name, array in self._ends.items()}

        def batch(step):
            return {
                name: array[ends[name][step] : ends[name][step + 1]]
                for name, array in arrays.items()
            }

        return tf.data.Dataset.range(self.steps).map(batch).prefetch(4)


def _key(first, second):
    return (first.astype(np.int64) << 32) | second


def _numbered(ids):
    """The different ids of a sorted array, and for each element its place among them."""
    starts = np.diff(ids, prepend=-1) > 0
    return ids[starts], np.cumsum(starts, dtype=np.int32) - 1
