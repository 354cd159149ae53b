"""A classifier of any number of labels a text, class weights, and answers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, tasks
from tf_bertembed.common import BertEmbedError

LABELS = ["comedy", "drama", "人"]


@pytest.fixture(scope="module")
def make_multi_label(make_backbone, preprocessor):
    def make(**arguments):
        task = tasks.TextClassifier(
            make_backbone(dropout=0.0), LABELS, preprocessor, multi_label=True, **arguments
        )
        task.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        return task

    return make


@pytest.fixture(scope="module")
def several(make_multi_label):
    return make_multi_label(dropout=0.0)


def test_the_loss_is_the_mean_over_texts_and_labels(several, reviews):
    texts, y = reviews[0][:4], [["drama"], [], ["人", "comedy"], LABELS]
    ones = np.array([[0, 1, 0], [0, 0, 0], [1, 0, 1], [1, 1, 1]])
    shares = 1 / (1 + np.exp(-several.predict(texts, verbose=0).astype("float64")))
    expected = -np.log(np.where(ones, shares, 1 - shares)).mean()
    history = several.fit(texts, y, batch_size=4, verbose=0)
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)
    assert history.history["binary_accuracy"][0] == pytest.approx(((shares > 0.5) == ones).mean())
    assert several.evaluate(texts, ones, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("form", ["ragged", "padded", "numbers"])
def test_datasets(form, several):
    y = {
        "ragged": tf.ragged.constant([["drama"], [], ["人", "comedy"]]),
        "padded": [["drama", ""], ["", ""], ["人", "comedy"]],
        "numbers": [[0, 1, 0], [0, 0, 0], [1, 0, 1]],
    }[form]
    data = tf.data.Dataset.from_tensors((["a", "b", "c"], y))
    _, encoded = next(iter(several.encode_label_batches(data)))
    assert encoded.dtype == tf.float32
    assert encoded.numpy().tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["drama", "comedy"], "A list of labels was expected for each text. Received: 'drama'"),
        ([["drama"], ["opera"]], r"does not know: \['opera'\]"),
        (np.ones((2, 2)), r"Zeros and ones of shape \(N, 3\).*\(2, 2\)"),
        (np.full((2, 3), 0.5), "Zeros and ones"),
    ],
)
def test_labels_that_do_not_fit(y, message, several):
    with pytest.raises(BertEmbedError, match=message):
        several.encode_labels(y)


def test_an_unknown_label_stops_a_dataset(several):
    data = tf.data.Dataset.from_tensors((["a"], [["opera", "drama"]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="opera"):
        list(several.encode_label_batches(data))


def test_arguments(make_multi_label, make_backbone):
    with pytest.raises(BertEmbedError, match=r"between 0 and 1. Received: 1"):
        make_multi_label(threshold=1)
    with pytest.raises(BertEmbedError, match="at least one label"):
        tasks.TextClassifier(make_backbone(), [], multi_label=True)
    assert tasks.TextClassifier(make_backbone(), ["spam"], multi_label=True).labels == ["spam"]


@pytest.mark.slow
def test_served_answers_are_those_in_memory(make_multi_label, tmp_path):
    texts = ["a good film", "我住在北京 🙂", "", "long " * 200, "drama"]
    task = make_multi_label()
    # Biases that put the labels on both sides of the threshold.
    task.output_dense.bias.assign([2.0, -0.1, 0.0])
    task.output_dense.kernel.assign(task.output_dense.kernel * 50)
    shares = sorted(row["probabilities"]["人"] for row in task.answer(texts))
    task.threshold = (shares[2] + shares[3]) / 2
    path = export.export_saved_model(task, tmp_path / "labels")
    report = export.verify(path)
    assert report.ok, str(report)
    served = export.answer(path, texts)
    answers = task.answer(texts)
    assert len({len(answer["labels"]) for answer in answers}) > 1
    for row, answer in enumerate(answers):
        names = served["labels"][row].tolist()
        assert names == [*answer["labels"], *[""] * (3 - len(answer["labels"]))]
        assert served["classes"][row].tolist() == LABELS
        expected = list(answer["probabilities"].values())
        np.testing.assert_allclose(served["probabilities"][row], expected, rtol=1e-5)


@pytest.mark.slow
def test_a_folder_keeps_it(make_multi_label, tmp_path):
    task = make_multi_label(threshold=0.3)
    task.save_to_preset(tmp_path / "run")
    loaded = tasks.TextClassifier.from_preset(tmp_path / "run")
    assert loaded.multi_label
    assert loaded.threshold == 0.3
    assert loaded.answer(["a film"]) == task.answer(["a film"])


@pytest.fixture(scope="module")
def still(make_classifier):
    classifier = make_classifier(optimizer=keras.optimizers.SGD(0.0), dropout=0.0)
    classifier.output_dropout.rate = 0.0
    return classifier


def test_class_weights_by_name_and_balanced(still, reviews):
    texts, y = reviews[0][:4], ["positive", "negative", "positive", "positive"]
    ids = still.encode_labels(y)
    losses = -np.log(
        [
            row[i]
            for row, i in zip(
                still.probabilities(still.predict(texts, verbose=0)).numpy(), ids, strict=True
            )
        ]
    )
    for weights, each in (
        ({"negative": 3.0}, [1, 3, 1, 1]),
        ("balanced", [4 / 6, 2, 4 / 6, 4 / 6]),
    ):
        history = still.fit(texts, y, batch_size=4, class_weight=weights, verbose=0)
        assert history.history["loss"][0] == pytest.approx((losses * each).mean(), rel=1e-5)
    with pytest.raises(BertEmbedError, match="must have a weight above 0"):
        still.fit(texts, y, class_weight={"negative": 0, "positive": 0}, verbose=0)
    data = tf.data.Dataset.from_tensors((texts, y))
    history = still.fit(data, class_weight={"negative": 3.0}, verbose=0)
    assert history.history["loss"][0] == pytest.approx((losses * [1, 3, 1, 1]).mean(), rel=1e-5)
    for weights, message in (
        ({"neutral": 1.0}, r"`class_weight` for labels .* 'neutral'"),
        ({"negative": -1.0}, r"at least 0. Received: -1.0 for 'negative'"),
        ("even", "or 'balanced' where"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            still.fit(texts, y, class_weight=weights, verbose=0)
    with pytest.raises(BertEmbedError, match="'balanced' for a dataset"):
        still.fit(data, class_weight="balanced", verbose=0)


def test_class_weights_are_for_one_label_a_text(several):
    with pytest.raises(BertEmbedError, match="pass `sample_weight`"):
        several.fit(["a"], [["drama"]], class_weight={"drama": 2.0}, verbose=0)


def test_pairs_are_told_by_the_data(make_classifier, reviews):
    texts, y = reviews[0][:4], reviews[1][:4]
    classifier = make_classifier()
    assert classifier.pair is None
    classifier.fit((texts, texts), y, verbose=0)
    assert classifier.text_inputs == ("text_a", "text_b")
    assert classifier.answer((texts, texts))[0].keys() == {"label", "probabilities"}


def test_numbers_in_a_dataset_are_checked(several):
    data = tf.data.Dataset.from_tensors((["a"], [[0, 2, 1]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Zeros and ones were expected"):
        next(iter(several.encode_label_batches(data)))


def test_the_label_is_that_of_the_highest_logit(make_classifier):
    classifier = make_classifier()
    dense = classifier.output_dense
    # So near that both probabilities are 0.5.
    dense.set_weights([np.zeros_like(dense.kernel), np.array([0, 1e-9], "float32")])
    (answer,) = classifier.answer(["a film"])
    features = classifier.preprocess_samples(["a film"])
    (served,) = classifier.signatures()["serving_default"](features)["label"].numpy()
    assert answer["label"] == served.decode() == "positive"
    assert set(answer["probabilities"].values()) == {0.5}


def test_validation_takes_its_own_batch_size(make_classifier, reviews):
    texts, labels = (part[:8] for part in reviews)
    sizes = []

    class Sizes(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            sizes.append(batch)

    make_classifier().fit(
        texts,
        labels,
        validation_data=(texts, labels),
        validation_batch_size=3,
        callbacks=[Sizes()],
        verbose=0,
    )
    assert sizes == [0, 1, 2]
