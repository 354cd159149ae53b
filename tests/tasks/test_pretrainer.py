import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.pretrainer import BestGuessAccuracy, SharedCrossentropy


def cross_entropy(logits, labels):
    logits = np.asarray(logits, "float64")
    shares = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -np.take_along_axis(shares, np.asarray(labels)[..., None], axis=-1)[..., 0]


@pytest.fixture(scope="module")
def pretrainer(make_backbone):
    pretrainer = tasks.Pretrainer(make_backbone(dropout=0.0))
    pretrainer.compile("adam", run_eagerly=True)
    return pretrainer


@pytest.fixture(scope="module")
def batch(examples):
    """A batch of which some places for predictions are empty."""
    features, labels, weights = next(iter(examples().epoch(0)))
    counted = weights["masked_lm"].numpy()
    counted[::2, -1] = 0
    return features, labels, {**weights, "masked_lm": counted}


def evaluate(pretrainer, features, labels, weights):
    return pretrainer.evaluate(
        features, labels, sample_weight=weights, batch_size=8, verbose=0, return_dict=True
    )


def test_the_loss_counts_masked_pieces_only(pretrainer, batch):
    features, labels, weights = batch
    logits = pretrainer(features)
    losses = cross_entropy(logits["masked_lm"], labels["masked_lm"])
    counted = weights["masked_lm"].astype(bool)
    assert 0 < counted.sum() < counted.size
    masked = losses[counted].mean()
    next_sentence = cross_entropy(logits["next_sentence"], labels["next_sentence"]).mean()
    scores = evaluate(pretrainer, *batch)
    assert scores["loss"] == pytest.approx(masked + next_sentence, rel=1e-5)
    assert scores["masked_lm_crossentropy"] == pytest.approx(masked, rel=1e-5)
    assert scores["next_sentence_crossentropy"] == pytest.approx(next_sentence, rel=1e-5)
    right = logits["masked_lm"].numpy().argmax(-1) == labels["masked_lm"].numpy()
    assert scores["masked_lm_accuracy"] == pytest.approx(right[counted].mean())


def test_labels_of_empty_places_do_not_matter(pretrainer, batch):
    features, labels, weights = batch
    counted = weights["masked_lm"].astype(bool)
    other = np.where(counted, labels["masked_lm"].numpy(), 77)
    assert evaluate(pretrainer, features, {**labels, "masked_lm": other}, weights) == evaluate(
        pretrainer, *batch
    )


def test_the_table_is_tied(pretrainer, batch):
    features = batch[0]
    table = pretrainer.backbone.token_embedding.embeddings
    ids = [id(v) for v in pretrainer.trainable_variables]
    assert ids.count(id(table)) == 1
    # No other weight has a row for each piece, but for the bias.
    rows = [v.shape for v in pretrainer.weights if v.shape[0] == table.shape[0]]
    assert sorted(map(len, rows)) == [1, 2]
    old, before = table.numpy(), pretrainer(features)["masked_lm"].numpy()
    # A piece that is in no text only counts as an answer.
    unseen = sorted(set(range(len(old))) - set(np.unique(features["token_ids"])))[0]
    changed = old.copy()
    changed[unseen] = np.random.default_rng(0).normal(size=old.shape[1])
    table.assign(changed)
    after = pretrainer(features)["masked_lm"].numpy()
    table.assign(old)
    others = np.arange(len(old)) != unseen
    np.testing.assert_allclose(after[..., others], before[..., others], atol=1e-6)
    assert np.abs(after[..., unseen] - before[..., unseen]).max() > 1e-3


def test_without_next_sentences(make_backbone, examples):
    pretrainer = tasks.Pretrainer(make_backbone(), next_sentence=False)
    pretrainer.compile("adam", run_eagerly=True)
    data = examples(next_sentence=False).epoch(0).take(1)
    history = pretrainer.fit(data, verbose=0).history
    assert not any("next_sentence" in key for key in history)
    assert set(pretrainer(next(iter(data))[0])) == {"masked_lm"}


def test_words_are_read_in_pretraining(make_backbone, examples, words):
    pretrainer = tasks.Pretrainer(make_backbone(input_fusion="add"))
    kernel = np.random.default_rng(0).normal(size=(6, 16))
    pretrainer.backbone.input_fusion_layer.word_kernel.assign(kernel)
    features = next(iter(examples(static_words=words).epoch(0)))[0]
    assert features["static_ids"].numpy().any()
    none = {**features, "static_ids": features["static_ids"] * 0}
    difference = pretrainer(features)["masked_lm"] - pretrainer(none)["masked_lm"]
    assert np.abs(difference).max() > 1e-4


def test_the_bias_starts_at_the_frequencies(make_backbone, tokenizer, batch):
    pretrainer = tasks.Pretrainer(make_backbone())
    counts = np.arange(tokenizer.vocabulary_size())
    pretrainer.backbone.token_embedding.embeddings.assign(
        np.random.default_rng(0).normal(size=(len(counts), 16))
    )
    pretrainer.start_from_frequencies(counts)
    shares = (counts + 1) / (counts + 1).sum()
    bias = pretrainer.masked_lm_head.output_bias.numpy()
    np.testing.assert_allclose(np.exp(bias), shares, rtol=1e-4)
    # Long rows of the table do not drown the frequencies.
    logits = pretrainer(batch[0])["masked_lm"].numpy()
    assert np.abs(logits - np.log(shares)).std() < 0.1
    with pytest.raises(BertEmbedError, match=r"One count for each piece.*Received: \(3,\)"):
        pretrainer.start_from_frequencies([1, 2, 3])


@pytest.mark.parametrize("tied", [True, False])
def test_long_rows_make_no_wild_guesses(make_backbone, tokenizer, batch, tied):
    backbone = make_backbone()
    rows = np.random.default_rng(0).normal(size=(tokenizer.vocabulary_size(), 16))
    models.warm_start(backbone, rows, scale=2.0)
    pretrainer = tasks.Pretrainer(backbone, tie_weights=tied)
    assert pretrainer(batch[0])["masked_lm"].numpy().std() < 0.1
    pretrainer.start_from_token_table()
    table = pretrainer.masked_lm_head.output_embeddings.numpy()
    np.testing.assert_array_equal(table, backbone.token_embedding.embeddings)
    assert pretrainer(batch[0])["masked_lm"].numpy().std() < 0.1


def test_signatures_give_the_mean_over_the_pieces(pretrainer, preprocessor, reviews):
    features = preprocessor(reviews[0][:4])
    mask = features["padding_mask"].numpy()[..., None]
    x = pretrainer.backbone(features)["sequence_output"].numpy()
    for function in pretrainer.signatures().values():
        embedding = function(features)["embedding"]
        np.testing.assert_allclose(embedding, (x * mask).sum(1) / mask.sum(1), atol=1e-5)


@pytest.mark.parametrize("shape", [(6,), (6, 1), (2, 3)])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BestGuessAccuracy(), keras.metrics.SparseCategoricalAccuracy()),
        (
            SharedCrossentropy(from_logits=True),
            keras.metrics.SparseCategoricalCrossentropy(from_logits=True),
        ),
    ],
    ids=["accuracy", "crossentropy"],
)
def test_metrics_are_those_of_keras(ours, theirs, shape):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(*shape[: 1 if shape[-1] == 1 else None], 9)).astype("float32")
    labels, weights = rng.integers(0, 9, shape), rng.random(shape).astype("float32")
    for metric in (ours, theirs):
        metric.reset_state()
        metric.update_state(labels, logits, weights)
    assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-6)
    assert type(keras.metrics.deserialize(keras.metrics.serialize(ours))) is type(ours)
