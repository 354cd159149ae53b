"""GloVe: word vectors from co-occurrences, a Keras model trained with AdaGrad."""

import math

import keras

from tf_bertembed.common import BertEmbedError, derive_seed, progress
from tf_bertembed.training.glove_batches import GloveBatches, default_batch_size
from tf_bertembed.training.glove_model import GloveModel
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors
from tf_bertembed.vectors.training.cooccurrence import check_cooccurrences
from tf_bertembed.vectors.training.ranges import check_positive, check_whole

STEPS_AT_ONCE = 16


def train_glove(
    cooccurrences,
    *,
    vector_size=50,
    epochs=25,
    learning_rate=0.05,
    x_max=100.0,
    alpha=0.75,
    batch_size=None,
    seed=0,
    callbacks=(),
):
    """Train GloVe vectors in TensorFlow.

    Minimises, over all pairs of words that meet, 0.5 f(x) (w·c + b + b' - log
    x)², where f(x) is (x / x_max)^alpha up to 1. AdaGrad is Stanford's in C,
    in batches: sums of squares are those of single co-occurrences, but all of
    a batch take their gradients from the same vectors and move in one step.
    With the default batch size the loss follows that of the C program, which
    learns from one co-occurrence at a time, from the second epoch on. Biases
    have the learning rate 1, as there.

    The same seed gives the same vectors.

    Args:
        cooccurrences: `vectors.Cooccurrences`. Words and how often they meet,
            from `vectors.count_cooccurrences`.
        vector_size: int. The width of the vectors.
        epochs: int. How often to go through all co-occurrences.
        learning_rate: float. AdaGrad's learning rate, of the vectors.
        x_max: float. From how many on a co-occurrence has the full weight 1.
            Small corpora want about 10.
        alpha: float. The power by which the weight of fewer falls.
        batch_size: int. Co-occurrences in a step; by default 16,384, or a
            hundredth of all where that is less.
        seed: int. Seed of the starting values and of the batches.
        callbacks: list of `keras.callbacks.Callback`s. Their `logs` have
            `loss`, the mean over all co-occurrences while an epoch runs.

    Returns:
        A `gensim.models.KeyedVectors`: the sums of word and context vectors,
        most frequent word first, with counts as the attribute `count`.

    Raises:
        BertEmbedError: where a number is out of range, or the training
            diverges.

    Example:

    ```python
    from tf_bertembed import training, vectors

    corpus = [["the", "cat", "sat"], ["the", "dog", "sat"], ["a", "cat"]]
    met = vectors.count_cooccurrences(corpus, min_count=1)
    glove = training.train_glove(met, vector_size=4, epochs=2, x_max=10)
    assert glove["cat"].shape == (4,) and glove.get_vecattr("cat", "count") == 2
    ```

    References:
        - [Pennington et al., 2014](https://aclanthology.org/D14-1162/)
        - [Duchi et al., 2011](https://jmlr.org/papers/v12/duchi11a.html)
        - https://github.com/stanfordnlp/GloVe
    """
    check_cooccurrences(cooccurrences)
    check_whole(vector_size=(vector_size, 1), epochs=(epochs, 1), seed=(seed, 0))
    check_positive(learning_rate=learning_rate, x_max=x_max, alpha=alpha)
    if batch_size is None:
        batch_size = default_batch_size(cooccurrences.matrix.nnz)
    check_whole(batch_size=(batch_size, 1))
    batches = GloveBatches(cooccurrences.matrix, batch_size, x_max, alpha, seed)
    model = GloveModel(
        len(cooccurrences.words), vector_size, learning_rate, derive_seed(seed, "glove")
    )
    # Two biases add the variance of what they start from, uniform within 0.5 / vector_size of 0.
    untrained_loss = batches.loss_of_zeros + batches.mean_weight / (12 * vector_size**2)
    # The model has its own AdaGrad: Keras's knows only the gradient of a whole batch.
    model.compile(optimizer=None, steps_per_execution=min(batches.steps, STEPS_AT_ONCE))
    with progress("Training GloVe", total=epochs) as advance:
        model.fit(
            batches.dataset(),
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=[_Watch(advance, learning_rate, untrained_loss), *callbacks],
        )
    return make_keyed_vectors(
        list(cooccurrences.words), model.summed_vectors(), counts=cooccurrences.counts
    )


class _Watch(keras.callbacks.Callback):
    """Stops a training that leads nowhere."""

    def __init__(self, advance, learning_rate, untrained_loss):
        super().__init__()
        self.advance = advance
        self.learning_rate = learning_rate
        self.untrained_loss = untrained_loss

    def on_epoch_end(self, epoch, logs=None):
        self.loss = logs["loss"]
        if not math.isfinite(self.loss) or not self.model.is_finite():
            self._stop(f"The training diverged in epoch {epoch + 1}: numbers are not finite.")
        self.advance()

    def on_train_end(self, logs=None):
        if self.loss > self.untrained_loss:
            self._stop(
                f"The training diverged: the loss is {self.loss:.4g}, that of untrained vectors "
                f"{self.untrained_loss:.4g}."
            )

    def _stop(self, problem):
        raise BertEmbedError(
            f"{problem} Lower the learning rate. Received: learning_rate={self.learning_rate}."
        )
