import keras
import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, training, vectors
from tf_bertembed.training.glove_batches import GloveBatches, default_batch_size
from tf_bertembed.training.glove_model import GloveModel

RATE, X_MAX, ALPHA = 0.05, 10.0, 0.75


@pytest.fixture(scope="module")
def met():
    corpus = list(vectors.WordCorpus(datapath("lee_background.cor")))[:40]
    return vectors.count_cooccurrences(corpus, window=4, min_count=5)


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])


def test_batches_hold_every_cooccurrence_once_an_epoch(met):
    batches = GloveBatches(met.matrix, 300, X_MAX, ALPHA, seed=3)
    found = np.zeros(met.matrix.shape)
    sizes = []
    for batch in batches.dataset().as_numpy_iterator():
        rows = batch["words"][batch["word_places"]]
        columns = batch["contexts"][batch["context_places"]]
        assert (np.diff(rows) >= 0).all()
        assert (np.diff(columns[batch["by_context"]]) >= 0).all()
        counts = np.exp(batch["log_counts"])
        np.add.at(found, (rows, columns), counts)
        expected = np.minimum((counts / X_MAX) ** ALPHA, 1)
        np.testing.assert_allclose(batch["weights"], expected, rtol=1e-5)
        sizes.append(len(rows))
    np.testing.assert_allclose(found, met.matrix.toarray(), rtol=1e-6)
    assert set(sizes[:-1]) == {300}
    assert batches.steps == len(sizes) == -(-met.matrix.nnz // 300)


def test_a_small_corpus_still_has_many_steps():
    assert default_batch_size(10**9) == 16384
    assert default_batch_size(20_000) == 200
    assert default_batch_size(3) == 1


def numpy_epoch(tables, squares, batches):
    """The rule of the docstring in float64, one co-occurrence after the other; the mean loss."""
    width = tables[0].shape[1] - 1
    rates = np.array([RATE] * width + [1.0])
    losses = []
    for batch in batches:
        rows = batch["words"][batch["word_places"]]
        columns = batch["contexts"][batch["context_places"]]
        steps = [np.zeros_like(table) for table in tables]
        for row, column, weight, log_count in zip(
            rows, columns, batch["weights"], batch["log_counts"], strict=True
        ):
            word, context = tables[0][row], tables[1][column]
            difference = word[:-1] @ context[:-1] + word[-1] + context[-1] - log_count
            losses.append(0.5 * weight * difference**2)
            for number, (place, partner) in enumerate(((row, context), (column, word))):
                gradient = weight * difference * np.append(partner[:-1], 1) * rates
                steps[number][place] += gradient
                squares[number][place] += gradient**2
        for table, step, square in zip(tables, steps, squares, strict=True):
            table -= step / np.sqrt(square)
    return np.mean(losses)


@pytest.mark.parametrize(("size", "batch_size"), [(8, 1), (30, 150)])
def test_a_step_is_adagrad_on_single_cooccurrences(met, size, batch_size):
    batches = GloveBatches(met.matrix[:size, :size], batch_size, X_MAX, ALPHA, seed=1)
    model = GloveModel(size, 6, RATE, seed=5)
    model.compile(optimizer=None, steps_per_execution=4)
    tables = [table.numpy().astype(np.float64) for table, _ in model.tables]
    assert all(np.abs(table).max() <= 0.5 / 6 for table in tables)
    assert np.abs(tables[0] - tables[1]).max() > 0.01
    squares = [np.ones_like(table) for table in tables]
    every = list(batches.dataset().as_numpy_iterator())
    expected = [numpy_epoch(tables, squares, every) for _ in range(2)]
    history = model.fit(batches.dataset(), epochs=2, verbose=0, shuffle=False).history
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-4)
    for (table, square), values, sums in zip(model.tables, tables, squares, strict=True):
        np.testing.assert_allclose(table.numpy(), values, atol=2e-5)
        np.testing.assert_allclose(square.numpy(), sums, rtol=1e-4)


def test_the_same_seed_gives_the_same_vectors(met):
    settings = {"vector_size": 8, "epochs": 2, "x_max": 10}
    watch = Losses()
    first = training.train_glove(met, seed=4, callbacks=[watch], **settings)
    again = training.train_glove(met, seed=4, **settings)
    other = training.train_glove(met, seed=5, **settings)
    assert (first.vectors == again.vectors).all()
    assert not (first.vectors == other.vectors).any()
    assert watch.losses == sorted(watch.losses, reverse=True)
    assert first.vectors.dtype == np.float32
    assert first.index_to_key == met.words
    assert [first.get_vecattr(word, "count") for word in met.words] == met.counts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_size": 0}, "`vector_size` must be an int of at least 1. Received: 0."),
        ({"epochs": 0}, "`epochs` must be an int of at least 1"),
        ({"batch_size": 0}, "`batch_size` must be an int of at least 1"),
        ({"learning_rate": 0}, "`learning_rate` must be a number above 0. Received: 0."),
        ({"x_max": float("nan")}, "`x_max` must be a number above 0. Received: nan."),
        ({"alpha": -1}, "`alpha` must be a number above 0"),
        ({"learning_rate": 1e30}, "diverged in epoch 1: .*Received: learning_rate=1e\\+30"),
    ],
)
def test_bad_numbers(met, options, message):
    with pytest.raises(common.BertEmbedError, match=message):
        training.train_glove(met, **{"epochs": 1, **options})


@pytest.mark.slow
def test_the_loss_falls_as_in_stanfords_program(stanford_corpus):
    path, reference = stanford_corpus
    counted = vectors.count_cooccurrences(path, window=10)
    watch = Losses()
    training.train_glove(counted, epochs=8, x_max=10, callbacks=[watch])
    # A batch's step is larger than many small ones as long as the sums of squares are small.
    np.testing.assert_allclose(
        watch.losses[1:], reference["cost_by_iteration_one_thread"][1:8], rtol=0.01
    )


@pytest.mark.parametrize("given", ["corpus.txt", [["a", "b"]], None])
def test_training_what_was_not_counted(given):
    with pytest.raises(common.BertEmbedError, match=r"must be what `vectors\.count_cooc"):
        training.train_glove(given)
