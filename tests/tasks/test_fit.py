"""`fit` has the manners of Keras: it shuffles, splits, weighs, and says what is wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError


class Recorder:
    """A loss that remembers the labels of every batch."""

    def __init__(self):
        self.batches = []

    def __call__(self, y, logits):
        self.batches.append(y.numpy().ravel().tolist())
        return tf.reduce_sum(logits, axis=-1) * 0.0


@pytest.fixture(scope="module")
def recording(make_backbone, preprocessor):
    """A classifier of eight classes, one for each text, which learns nothing, and its recorder."""
    classifier = tasks.TextClassifier(make_backbone(), 8, preprocessor)
    recorder = Recorder()
    classifier.compile(keras.optimizers.SGD(0.0), loss=recorder, run_eagerly=True, metrics=[])
    return classifier, recorder


@pytest.fixture
def recorded(recording):
    recording[1].batches.clear()
    return recording


@pytest.fixture
def eight(reviews):
    return reviews[0][:8]


def test_arrays_are_shuffled_anew_in_each_epoch(recorded, eight):
    classifier, recorder = recorded
    classifier.fit(eight, np.arange(8), batch_size=4, epochs=4, verbose=0)
    assert [len(batch) for batch in recorder.batches] == [4] * 8
    epochs = [[*a, *b] for a, b in zip(recorder.batches[::2], recorder.batches[1::2], strict=True)]
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert epochs[0] != list(range(8)) or epochs[1] != list(range(8))


def test_shuffling_can_be_left_out(recorded, eight):
    classifier, recorder = recorded
    classifier.fit(eight, np.arange(8), batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert recorder.batches == [[0, 1, 2, 3], [4, 5, 6, 7]] * 2


def test_the_seed_decides_the_order(recorded, eight):
    classifier, recorder = recorded
    for _ in range(2):
        keras.utils.set_random_seed(7)
        classifier.fit(eight, np.arange(8), batch_size=4, verbose=0)
    assert recorder.batches[:2] == recorder.batches[2:]


def test_validation_split_takes_the_end(recorded, eight):
    classifier, recorder = recorded
    history = classifier.fit(eight, np.arange(8), batch_size=8, validation_split=0.25, verbose=0)
    first, second = recorder.batches
    assert sorted(first) == [0, 1, 2, 3, 4, 5]
    assert second == [6, 7]
    assert "val_loss" in history.history


def test_datasets_keep_their_order_and_their_batches(recorded, eight):
    classifier, recorder = recorded
    data = tf.data.Dataset.from_tensor_slices((eight, np.arange(8))).batch(3)
    classifier.fit(data, validation_data=data.take(1), verbose=0)
    assert recorder.batches == [[0, 1, 2], [3, 4, 5], [6, 7], [0, 1, 2]]


def test_a_dataset_of_features(make_classifier, preprocessor, eight):
    classifier = make_classifier()
    classifier.preprocessor = None
    data = tf.data.Dataset.from_tensor_slices((eight, [0, 1] * 4)).batch(4)
    history = classifier.fit(data.map(lambda x, y: (preprocessor(x), y)), verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_in_a_graph_as_eagerly(make_classifier, eight):
    losses = []
    for eagerly in (True, False):
        classifier = make_classifier(eagerly=eagerly, optimizer=keras.optimizers.SGD(0.1))
        y = ["positive", "negative"] * 4
        # A text alone, so that dropout is all that differs; and there is none.
        classifier.output_dropout.rate = classifier.backbone.embeddings_dropout.rate = 0
        losses.append(classifier.evaluate(eight, y, verbose=0, return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.fixture(scope="module")
def still(make_classifier):
    """A classifier that learns nothing and drops nothing, so that its loss can be foretold."""
    return make_classifier(optimizer=keras.optimizers.SGD(0.0), dropout=0.0)


@pytest.fixture
def expected(still, reviews):
    """Cross-entropies and class numbers of eight texts, by NumPy."""
    still.output_dropout.rate = 0.0
    texts, labels = reviews[0][:8], reviews[1][:8]
    logits = still.predict(texts, verbose=0).astype("float64")
    ids = np.array([still.labels.index(label) for label in labels])
    shares = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return texts, labels, ids, -shares[np.arange(8), ids]


def test_the_loss_is_the_mean_cross_entropy(still, expected):
    texts, labels, _, losses = expected
    history = still.fit(texts, labels, batch_size=8, verbose=0)
    assert history.history["loss"][0] == pytest.approx(losses.mean(), rel=1e-5)


def test_class_weight(still, expected):
    texts, labels, ids, losses = expected
    weights = {0: 3.0, 1: 0.5}
    history = still.fit(texts, labels, batch_size=8, class_weight=weights, verbose=0)
    weighted = losses * np.where(ids == 0, 3.0, 0.5)
    assert history.history["loss"][0] == pytest.approx(weighted.mean(), rel=1e-5)


def test_sample_weight(still, expected):
    texts, labels, _, losses = expected
    weights = np.arange(8.0)
    history = still.fit(
        texts,
        labels,
        batch_size=8,
        sample_weight=weights,
        validation_data=(texts, labels, weights[::-1]),
        verbose=0,
    )
    assert history.history["loss"][0] == pytest.approx((losses * weights).mean(), rel=1e-5)
    reversed_mean = (losses * weights[::-1]).mean()
    assert history.history["val_loss"][0] == pytest.approx(reversed_mean, rel=1e-5)
    score = still.evaluate(texts, labels, sample_weight=weights, verbose=0, return_dict=True)
    assert score["loss"] == pytest.approx((losses * weights).mean(), rel=1e-5)


def test_predict_takes_strings_of_any_kind(still, reviews):
    texts = reviews[0][:3]
    expected = still.predict(texts, verbose=0)
    assert expected.shape == (3, 2)
    for form in (np.array(texts), np.array(texts, object), tf.constant(texts)):
        np.testing.assert_array_equal(still.predict(form, verbose=0), expected)
    data = tf.data.Dataset.from_tensor_slices(texts).batch(2)
    np.testing.assert_allclose(still.predict(data, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(still.predict(texts, batch_size=1, verbose=0), expected, atol=1e-6)


def test_pairs(still, reviews):
    first, second = reviews[0][:4], reviews[0][4:8]
    features = still.preprocessor((first, second))
    assert features["segment_ids"].numpy().any()
    logits = still.predict((first, second), verbose=0)
    np.testing.assert_allclose(logits, still(features), atol=1e-6)
    history = still.fit((first, second), [0, 1, 0, 1], validation_split=0.5, verbose=0)
    assert np.isfinite(history.history["val_loss"][0])


UNKNOWN = r"does not know: \['sport'\]\. Known: \['negative', 'positive'\]"


def test_a_label_unseen_in_training(still, reviews):
    texts, labels = reviews[0][:4], reviews[1][:4]
    wrong = [*labels[:3], "sport"]
    with pytest.raises(BertEmbedError, match=UNKNOWN):
        still.fit(texts, wrong, verbose=0)
    with pytest.raises(BertEmbedError, match=UNKNOWN):
        still.evaluate(texts, wrong, verbose=0)
    with pytest.raises(BertEmbedError, match=UNKNOWN):
        still.fit(texts, labels, validation_data=(texts, wrong), verbose=0)
    with pytest.raises(BertEmbedError, match=r"does not know: \[2\]"):
        still.fit(texts, [0, 1, 2, 1], verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": None}, "need labels"),
        ({"y": [0, 1]}, r"one item for each text.*Received lengths: \[2, 4\]"),
        ({"sample_weight": [1.0]}, r"Received lengths: \[1, 4\]"),
        ({"x": [], "y": []}, "at least one text"),
        ({"y": [0.5, 1, 0, 1]}, r"strings or ints\. Received: dtype float64"),
        ({"validation_split": 0.9}, r"leaves no text on one side\. Received: 0\.9 of 4"),
        ({"validation_data": (["a"],)}, "need labels"),
    ],
)
def test_arrays_that_cannot_be_trained_on(arguments, message, still, reviews):
    settings = {"x": reviews[0][:4], "y": [0, 1, 0, 1], **arguments}
    with pytest.raises(BertEmbedError, match=message):
        still.fit(**settings, verbose=0)


def batches(*parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(4)


def test_names_and_numbers_in_a_dataset(still, expected):
    texts, labels, ids, losses = expected
    for y in (labels, ids):
        data = batches(texts, y, np.ones(8))
        history = still.fit(data, validation_data=data, verbose=0).history
        assert history["loss"][0] == pytest.approx(losses.mean(), rel=1e-5)
        assert history["val_loss"][0] == pytest.approx(losses.mean(), rel=1e-5)


@pytest.mark.parametrize("wrong", [["positive", "sport"], [1, 2], [-1, 0]])
def test_unknown_labels_in_a_dataset(wrong, still):
    data = batches(["a", "b"], wrong)
    message = "Labels that the classifier does not know"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        still.fit(data, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        still.evaluate(data, verbose=0)


def test_datasets_without_a_label_for_each_text(still):
    with pytest.raises(BertEmbedError, match="need labels"):
        still.fit(tf.data.Dataset.from_tensors(["a", "b"]), verbose=0)
    with pytest.raises(BertEmbedError, match=r"labels of shape \(None, 1\)"):
        still.fit(batches(["a", "b"], [[0], [1]]), verbose=0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (None, r"Row 1 holds None"),
        (float("nan"), r"Row 1 holds nan \(float\)"),
        ("\ud83d", r"Row 1 holds half of a surrogate pair"),
    ],
)
def test_rows_that_are_no_text(row, message, still):
    texts, y = ["a", row], [0, 1]
    for form in (texts, np.array(texts, object)):
        with pytest.raises(BertEmbedError, match=message):
            still.predict(form, verbose=0)
    with pytest.raises(BertEmbedError, match=message):
        still.fit(texts, y, verbose=0)
    with pytest.raises(BertEmbedError, match=message):
        still.fit(["a", "b"], y, validation_data=(texts, y), verbose=0)
    with pytest.raises(BertEmbedError, match=message.replace("holds", r"of `x\[1\]` holds")):
        still.predict((["a", "b"], texts), verbose=0)


def test_bytes_are_texts(still):
    expected = still.predict(["a", "é"], verbose=0)
    for form in ([b"a", "é".encode()], np.array([b"a", "é".encode()])):
        np.testing.assert_array_equal(still.predict(form, verbose=0), expected)


def test_a_dataset_cannot_be_split(still, reviews):
    data = tf.data.Dataset.from_tensor_slices((reviews[0][:4], [0, 1, 0, 1])).batch(2)
    with pytest.raises(BertEmbedError, match="with a dataset pass `validation_data`"):
        still.fit(data, validation_split=0.5)


def test_nothing_to_predict(still):
    with pytest.raises(BertEmbedError, match="at least one text"):
        still.predict([], verbose=0)


def test_parts_that_do_not_fit(preprocessor, word_preprocessor, tokenizer, words, make_backbone):
    def attempt(preprocessor, **arguments):
        classifier = tasks.TextClassifier(make_backbone(**arguments), 2, preprocessor)
        classifier.predict(["a"], verbose=0)

    pieces = tokenizer.vocabulary_size()
    with pytest.raises(BertEmbedError, match=rf"{pieces} pieces, .* only {pieces - 1}"):
        attempt(preprocessor, vocabulary_size=pieces - 1)
    with pytest.raises(BertEmbedError, match=r"Received: 24; at most: 20"):
        attempt(preprocessor, max_sequence_length=20)
    with pytest.raises(BertEmbedError, match=rf"knows {len(words)} words .* has 0"):
        attempt(word_preprocessor)
    with pytest.raises(BertEmbedError, match=rf"knows 0 words .* has {len(words)}"):
        attempt(preprocessor, input_fusion="add")
    with pytest.raises(BertEmbedError, match=r"no preprocessor makes.*Received: num_tags=3"):
        attempt(preprocessor, num_tags=3)


def test_a_model_of_the_users_own(make_backbone, preprocessor, reviews):
    # The backbone is a Keras layer like any other.
    backbone = make_backbone()
    pooled = backbone(backbone.input)["pooled_output"]
    model = keras.Model(backbone.input, keras.layers.Dense(1)(pooled))
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(preprocessor(reviews[0][:4]), np.zeros(4), verbose=0)
    assert isinstance(backbone, models.BertEmbedBackbone)
    assert np.isfinite(history.history["loss"][0])


def test_a_batch_of_no_texts_is_refused(recorded, eight):
    with pytest.raises(BertEmbedError, match="`batch_size` must be an int of at least 1"):
        recorded[0].fit(eight, np.arange(8), batch_size=0)


def test_the_backbone_gets_what_it_takes_of_the_features(make_classifier, preprocessor, reviews):
    classifier = make_classifier()
    features = preprocessor(reviews[0][:2])
    picked = classifier.inputs_of({**features, "word_starts": tf.constant([[0], [1]])})
    assert set(picked) == {"token_ids", "segment_ids", "padding_mask"}
    assert all(picked[name] is features[name] for name in picked)
    del features["segment_ids"]
    with pytest.raises(BertEmbedError, match="features without segment_ids"):
        classifier.inputs_of(features)
