"""Sentence encoders: what they give, what they learn, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, models, tasks, text
from tf_bertembed.common import BertEmbedError

FUSED = {"input_fusion": "gate", "output_fusion": "concat"}
TEXTS = ["A good film.", "我住在北京", "🙂 what a day!", "", "it was a dull and slow film " * 20]


@pytest.fixture(autouse=True)
def _eagerly():
    """A few texts are encoded more quickly than graphs are traced."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def numpy_pooled(encoder, texts, counts=None):
    """The vectors of texts by NumPy in float64 from the backbone's output."""
    features = encoder.preprocessor(texts)
    x = encoder.backbone(features)["sequence_output"].numpy().astype("float64")
    mask = features["padding_mask"].numpy()
    rows = []
    for row, pieces, own in zip(x, features["token_ids"].numpy(), mask, strict=True):
        row, pieces = row[own], pieces[own]
        if encoder.pooling == "sif":
            shares = (counts / counts.sum())[pieces[1:-1]]
            total = (row[1:-1] * (1e-3 / (1e-3 + shares))[:, None]).sum(0)
            rows.append(total / max(len(shares), 1))
        else:
            rows.append({"mean": row.mean(0), "max": row.max(0), "cls": row[0]}[encoder.pooling])
    rows = np.array(rows)
    if encoder.normalize:
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows


@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "sif"])
def test_vectors_are_what_numpy_pools(pooling, make_encoder, counts):
    encoder = make_encoder(FUSED, pooling=pooling, normalize=pooling in ("mean", "sif"))
    expected = numpy_pooled(encoder, TEXTS, counts)
    found = encoder(encoder.preprocessor(TEXTS)).numpy()
    assert (found.shape, found.dtype) == ((5, 16 + 6), "float32")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    if pooling == "sif":
        assert not found[3].any()
        np.testing.assert_allclose(encoder.encode(TEXTS), expected, atol=1e-5)


def test_words_may_be_counted_instead_of_pieces(make_encoder, reviews, tokenizer, counts):
    words = text.count_words(reviews[0], tokenizer)
    by_words = make_encoder(pooling="sif", frequencies=words).pooling_layer.piece_weights
    by_pieces = make_encoder(pooling="sif", frequencies=counts).pooling_layer.piece_weights
    np.testing.assert_array_equal(by_words, by_pieces)


def test_sif_without_frequencies_is_refused(make_backbone, preprocessor):
    encoder = tasks.SentenceEncoder(make_backbone(), preprocessor, pooling="sif")
    with pytest.raises(BertEmbedError, match="how common pieces are"):
        encoder.predict(["a"], verbose=0)
    for wrong, message in (
        ([1.0], r"shape \(1,\)"),
        (np.zeros(encoder.backbone.vocabulary_size), "not all 0"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            encoder.set_frequencies(wrong)


def test_a_pair_gives_the_vectors_of_its_texts(make_encoder, pairs):
    encoder = make_encoder(normalize=True)
    both = encoder.predict(pairs, batch_size=5, verbose=0)
    assert both.shape == (16, 2, 16)
    for side in (0, 1):
        alone = encoder.predict(pairs[side], verbose=0)
        np.testing.assert_allclose(both[:, side], alone, atol=1e-5)
    cosines = [answer["score"] for answer in encoder.answer(pairs)]
    np.testing.assert_allclose(cosines, (both[:, 0] * both[:, 1]).sum(1), atol=1e-5)
    (answer,) = encoder.answer([pairs[0][0]])
    np.testing.assert_allclose(answer["embedding"], both[0, 0], atol=1e-5)
    assert encoder.answer(([], [])) == []


OBJECTIVES = {
    "cosine": {"score_range": (0, 5)},
    "ranking": {},
    "softmax": {"labels": ["no", "yes"]},
}


def targets(objective, scores):
    return {
        "cosine": scores,
        "ranking": None,
        "softmax": ["yes" if score > 2 else "no" for score in scores],
    }[objective]


@pytest.mark.parametrize(
    "objective",
    [
        "cosine",
        pytest.param("ranking", marks=pytest.mark.slow),
        pytest.param("softmax", marks=pytest.mark.slow),
    ],
)
def test_fit_learns_from_arrays(objective, make_encoder, pairs, scores):
    encoder = make_encoder({"dropout": 0.0}, objective=objective, **OBJECTIVES[objective])
    # Farther steps overshoot a cosine that is wanted.
    encoder.optimizer.learning_rate = 0.001 if objective == "cosine" else 0.01
    y = targets(objective, scores)
    history = encoder.fit(
        pairs, y, batch_size=16, epochs=4, validation_data=(pairs, y), verbose=0
    ).history
    metric = "pearson" if objective == "cosine" else "accuracy"
    assert history.keys() == {"loss", metric, "val_loss", f"val_{metric}"}
    assert history["val_loss"][-1] < 0.9 * history["loss"][0]
    trained = {id(v) for v in encoder.trainable_variables}
    assert (encoder.pair_dense is not None) == (objective == "softmax")
    if objective == "softmax":
        assert id(encoder.pair_dense.kernel) in trained
        (first, *_) = encoder.answer(pairs)
        assert first["label"] in ("no", "yes")
        assert sum(first["probabilities"].values()) > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["cosine", "ranking"])
def test_datasets_in_a_graph_give_what_arrays_give(objective, make_encoder, pairs, scores):
    eagerly = objective != "cosine"
    tf.config.run_functions_eagerly(eagerly)
    encoder = make_encoder(objective=objective, eagerly=eagerly, **OBJECTIVES[objective])
    y, weights = targets(objective, scores), np.arange(16.0)
    parts = (pairs,) if y is None else (pairs, y)
    weighted = (pairs, np.zeros(16) if y is None else y, weights)
    dataset = tf.data.Dataset.from_tensor_slices(parts).batch(16)
    assert encoder.evaluate(dataset, verbose=0) == pytest.approx(
        encoder.evaluate(pairs, y, batch_size=16, verbose=0)
    )
    dataset = tf.data.Dataset.from_tensor_slices(weighted).batch(16)
    loss, _ = encoder.evaluate(dataset, verbose=0)
    expected, _ = encoder.evaluate(pairs, y, 16, sample_weight=weights, verbose=0)
    assert loss == pytest.approx(expected)
    unweighted, _ = encoder.evaluate(pairs, y, 16, verbose=0)
    assert loss != pytest.approx(unweighted, rel=1e-3)
    encoder.fit(dataset, epochs=1, verbose=0)


def test_an_unknown_label_stops_a_dataset(make_encoder, pairs):
    encoder = make_encoder(objective="softmax", labels=["no", "yes"])
    dataset = tf.data.Dataset.from_tensor_slices((pairs, ["no", "maybe"] * 8)).batch(16)
    with pytest.raises(tf.errors.InvalidArgumentError, match="maybe"):
        encoder.evaluate(dataset, verbose=0)


def test_losses_are_what_numpy_computes(make_encoder, pairs, scores):
    vectors = make_encoder().predict(pairs, verbose=0).astype("float64")
    u, v = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in vectors.swapaxes(0, 1))
    encoder = make_encoder(score_range=(0, 5))
    loss, correlation = encoder.evaluate(pairs, scores, batch_size=4, verbose=0)
    cosines = (u * v).sum(1)
    assert loss == pytest.approx(np.mean((cosines - np.array(scores) / 5) ** 2), rel=1e-4)
    assert correlation == pytest.approx(tasks.pearson(scores, cosines), abs=1e-4)

    def entropy(table):
        return np.mean(np.log(np.exp(table).sum(1)) - np.diag(table))

    table = 20 * u @ v.T
    for symmetric, expected in (
        (False, entropy(table)),
        (True, (entropy(table) + entropy(table.T)) / 2),
    ):
        ranking = make_encoder(objective="ranking", symmetric=symmetric)
        loss, accuracy = ranking.evaluate(pairs, batch_size=16, verbose=0)
        assert loss == pytest.approx(expected, rel=1e-4)
        assert accuracy == pytest.approx(np.mean(table.argmax(1) == np.arange(16)))

    softmax = make_encoder(objective="softmax", labels=["a", "b", "c"])
    y = np.arange(16) % 3
    logits = np.hstack([vectors[:, 0], vectors[:, 1], abs(vectors[:, 0] - vectors[:, 1])])
    logits = logits @ softmax.pair_dense.kernel.numpy() + softmax.pair_dense.bias.numpy()
    expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(16), y])
    assert softmax.evaluate(pairs, y, verbose=0)[0] == pytest.approx(expected, rel=1e-4)


def test_metrics_and_losses_of_keras_see_the_cosines(make_encoder, pairs, scores):
    encoder = make_encoder(score_range=(0, 5))
    encoder.compile(loss="mae", metrics=["mse"], run_eagerly=True)
    loss, squared = encoder.evaluate(pairs, scores, verbose=0)
    cosines = np.array([answer["score"] for answer in encoder.answer(pairs)])
    assert loss == pytest.approx(np.abs(cosines - np.array(scores) / 5).mean(), rel=1e-4)
    assert squared == pytest.approx(((cosines - np.array(scores) / 5) ** 2).mean(), rel=1e-4)


@pytest.mark.slow
def test_features_without_a_preprocessor(make_encoder, pairs, scores):
    encoder = make_encoder(score_range=(0, 5))
    features, _ = encoder.preprocess_samples(tuple(map(tf.constant, pairs)), y=scores)
    assert features["token_ids"].shape[:2] == (16, 2)
    bare = tasks.SentenceEncoder(encoder.backbone, score_range=(0, 5))
    assert bare.evaluate(features, scores, verbose=0) == pytest.approx(
        encoder.evaluate(pairs, scores, verbose=0), rel=1e-4
    )
    bare.compile(run_eagerly=True)
    bare.fit(features, scores, verbose=0)
    ranking = tasks.SentenceEncoder(encoder.backbone, objective="ranking")
    ranking.compile(run_eagerly=True)
    ranking.fit(features, verbose=0)


@pytest.mark.slow
def test_half_precision_stays_near(make_encoder, pairs, scores):
    exact = make_encoder(FUSED, normalize=True)
    half = make_encoder({**FUSED, "dtype": "mixed_float16"}, normalize=True, score_range=(0, 5))
    half.backbone.set_weights(exact.backbone.get_weights())
    features = exact.preprocessor(TEXTS)
    found = half(features)
    assert found.dtype == "float32"
    assert 0 < np.abs(found - exact(features)).max() < 0.05
    history = half.fit(pairs, scores, batch_size=16, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize("way", ["preset", "keras"])
@pytest.mark.slow
def test_saved_and_loaded(way, make_encoder, pairs, tmp_path):
    encoder = make_encoder(FUSED, pooling="sif", objective="softmax", labels=["a", "b"], sif_a=0.01)
    if way == "preset":
        encoder.save_to_preset(tmp_path / "run")
        loaded = tasks.SentenceEncoder.from_preset(tmp_path / "run")
        assert models.load(tmp_path / "run").output_fusion == "concat"
        assert models.load_encoder(tmp_path / "run").output_dim == 22
    else:
        encoder.save(tmp_path / "encoder.keras")
        loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    assert loaded.get_config().keys() == encoder.get_config().keys()
    assert (loaded.sif_a, loaded.labels) == (0.01, ["a", "b"])
    vectors = encoder.predict(pairs, verbose=0)
    np.testing.assert_allclose(loaded.predict(pairs, verbose=0), vectors, atol=1e-6)
    np.testing.assert_allclose(loaded.compare(vectors), encoder.compare(vectors), atol=1e-6)


def test_the_folder_tells_other_loaders_how_to_pool(make_encoder, tmp_path):
    encoder = make_encoder(FUSED, pooling="max", normalize=True)
    encoder.save_to_preset(tmp_path / "run")
    loaded = models.load_encoder(tmp_path / "run")
    np.testing.assert_allclose(loaded.encode(TEXTS), encoder.encode(TEXTS), atol=1e-5)


def test_whitening_makes_independent_numbers(make_encoder, reviews, tmp_path):
    encoder = make_encoder(normalize=True, objective="softmax", labels=["a", "b"])
    white = encoder.whitened(reviews[0], dimensions=4)
    assert (white.objective, white.output_dim, white.normalize) == ("cosine", 4, True)
    vectors = white._unscaled(reviews[0])
    np.testing.assert_allclose(np.cov(vectors.T, bias=True), np.eye(4), atol=1e-3)
    np.testing.assert_allclose(vectors.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(white.encode(reviews[0]), axis=1), 1, atol=1e-5)
    again = white.without_components(reviews[0], 1)
    assert np.linalg.matrix_rank(again._unscaled(reviews[0]), tol=1e-2) == 3
    again.save_to_preset(tmp_path / "run")
    loaded = tasks.SentenceEncoder.from_preset(tmp_path / "run")
    np.testing.assert_allclose(loaded.encode(TEXTS), again.encode(TEXTS), atol=1e-6)
    with pytest.raises(BertEmbedError, match="vary in 2 directions only"):
        encoder.whitened(reviews[0][:3], dimensions=8)
    with pytest.raises(BertEmbedError, match="from 1 to the width 16"):
        encoder.whitened(reviews[0], dimensions=17)
    with pytest.raises(BertEmbedError, match="`count` must be"):
        encoder.without_components(reviews[0], 16)


def test_the_common_component_is_the_first_singular_vector(make_encoder, reviews):
    encoder = make_encoder(pooling="sif")
    x = encoder.encode(reviews[0]).astype("float64")
    top = np.linalg.svd(x)[2][0]
    found = encoder.without_components(reviews[0]).encode(reviews[0])
    np.testing.assert_allclose(found, x - np.outer(x @ top, top), atol=1e-4)


def test_exported_answers_are_those_in_memory(make_encoder, reviews, tmp_path):
    encoder = make_encoder(FUSED, pooling="sif", normalize=True).whitened(reviews[0], 8)
    path = export.export_saved_model(encoder, tmp_path / "sentences")
    report = export.verify(path)
    assert report.ok, str(report)
    assert {(c.signature, c.output) for c in report.checks} == {
        ("serving_default", "embedding"),
        ("embed", "embedding"),
        ("similarity", "score"),
        *(("tokenize", name) for name in ("pieces", "token_ids", "starts", "ends")),
    }
    pair = (TEXTS, TEXTS[1:] + TEXTS[:1])
    with export.CApiModel(path) as model:
        served = model.run({"text": TEXTS}, "serving_default")["embedding"]
        scores = model.run(dict(zip(("text_a", "text_b"), pair, strict=True)), "similarity")
    expected = [answer["embedding"] for answer in encoder.answer(TEXTS)]
    np.testing.assert_allclose(served, expected, atol=1e-5)
    assert np.abs(np.diff(expected, axis=0)).max() > 0.1
    expected = [answer["score"] for answer in encoder.answer(pair)]
    np.testing.assert_allclose(scores["score"], expected, atol=1e-5)


@pytest.mark.slow
def test_labels_of_pairs_are_served(make_encoder, pairs, tmp_path):
    encoder = make_encoder(objective="softmax", labels=["no", "人"])
    path = export.export_saved_model(encoder, tmp_path / "labels")
    assert export.verify(path).ok
    inputs = dict(zip(("text_a", "text_b"), pairs, strict=True))
    served = export.answer(path, inputs, "similarity")
    answers = encoder.answer(pairs)
    assert served["label"].tolist() == [answer["label"] for answer in answers]
    assert served["classes"][0].tolist() == ["no", "人"]
    expected = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-5)
