import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError

FUSIONS = [
    {},
    {"input_fusion": "add"},
    {"input_fusion": "concat"},
    {"input_fusion": "gate"},
    {"output_fusion": "concat"},
    {"output_fusion": "gate"},
    {"output_fusion": "add", "normalize_encoded": False},
    {"input_fusion": "add", "static_normalize": "unit", "static_dropout": 0.5},
    {"input_fusion": "gate", "output_fusion": "concat"},
]


def normalised(x):
    variance = x.var(axis=-1, keepdims=True)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + 1e-5)


def name(arguments):
    return "-".join(map(str, arguments.values())) or "plain"


def arrays(outputs):
    return {key: np.asarray(value, "float32") for key, value in outputs.items()}


@pytest.mark.parametrize("arguments", FUSIONS, ids=name)
def test_padding_changes_nothing(arguments, randomised, features):
    backbone = randomised(**arguments)
    lengths = (16, 9, 2)
    batch = features(lengths, static=bool(arguments))
    together = arrays(backbone(batch))
    for row, length in enumerate(lengths):
        alone = arrays(backbone({key: v[row : row + 1, :length] for key, v in batch.items()}))
        for key in together:
            got = together[key][row]
            got = got[:length] if key == "sequence_output" else got
            scale = np.abs(alone[key]).max()
            assert np.abs(got - alone[key][0]).max() / scale <= 1e-5, (key, length)


@pytest.mark.parametrize("arguments", FUSIONS[1:], ids=name)
def test_words_change_the_answer(arguments, randomised, features):
    backbone = randomised(**arguments)
    batch = features()
    other = {**batch, "static_ids": batch["static_ids"] % 12 + 1}
    first, second = arrays(backbone(batch)), arrays(backbone(other))
    assert all(np.abs(first[key] - second[key]).max() > 1e-3 for key in first)


@pytest.mark.parametrize("arguments", FUSIONS, ids=name)
def test_widths(arguments, small, features):
    backbone = small(**arguments)
    width = 14 if arguments.get("output_fusion") == "concat" else 8
    outputs = backbone(features(static=bool(arguments)))
    assert backbone.output_dim == width
    assert outputs["sequence_output"].shape == (3, 16, width)
    assert outputs["pooled_output"].shape == (3, width)


def overrides(static_dim=5, words=4, **arguments):
    return {"static_vocabulary_size": words + 1, "static_dim": static_dim, **arguments}


@pytest.fixture(scope="module")
def checkpoint(randomised, tmp_path_factory):
    """A folder in Hugging Face's form that is soon read, and its backbone."""
    backbone = randomised()
    place = tmp_path_factory.mktemp("checkpoint") / "small"
    models.save_huggingface(backbone, place)
    return place, backbone


NEUTRAL = [
    *({"input_fusion": mode} for mode in ("add", "concat", "gate")),
    *({"input_fusion": "add", "static_normalize": form} for form in ("unit", "standard")),
    {"input_fusion": "gate", "static_dropout": 0.5},
    *({"output_fusion": mode, "normalize_encoded": False} for mode in ("add", "gate")),
    {"input_fusion": "add", "output_fusion": "add", "normalize_encoded": False},
]


@pytest.mark.parametrize("arguments", NEUTRAL, ids=name)
def test_fusion_starts_neutral(arguments, checkpoint, features):
    folder, plain = checkpoint
    fused = models.load(folder, **overrides(**arguments))
    matrix = np.random.default_rng(0).normal(size=(5, 5))
    matrix[0] = 0
    fused.set_static_vectors(matrix)
    batch = features(static=False)
    rows = np.random.default_rng(1).integers(0, 5, batch["token_ids"].shape).astype("int32")
    expected, got = arrays(plain(batch)), arrays(fused({**batch, "static_ids": rows}))
    for key, value in expected.items():
        assert np.abs(got[key] - value).max() / np.abs(value).max() <= 1e-6


def test_output_gate_starts_as_the_normalised_encoder(checkpoint, features):
    folder, plain = checkpoint
    fused = models.load(folder, **overrides(output_fusion="gate"))
    matrix = np.ones((5, 5)) * np.arange(5)[:, None]
    fused.set_static_vectors(matrix * [1, 2, 3, 4, 6])
    batch = features(static=False)
    rows = np.ones(batch["token_ids"].shape, "int32")
    got = arrays(fused({**batch, "static_ids": rows}))
    for key, value in arrays(plain(batch)).items():
        np.testing.assert_allclose(got[key], normalised(value), atol=1e-4)


def test_output_concat_holds_the_encoder_and_the_mean_word(folder, minilm, real_features):
    fused = models.load(folder, **overrides(output_fusion="concat"))
    matrix = np.random.default_rng(0).normal(size=(5, 5)).astype("float32")
    matrix[0] = 0
    fused.set_static_vectors(matrix)
    mask = real_features["padding_mask"]
    rows = np.zeros(mask.shape, "int32")
    rows[0, 1:4] = [1, 0, 3]
    # A row on padding must not count.
    rows[-2, -1] = 2
    assert not mask[-2, -1]
    got = arrays(fused({**real_features, "static_ids": rows}))
    pooled = np.asarray(minilm(real_features)["pooled_output"])
    np.testing.assert_allclose(got["pooled_output"][:, :384], normalised(pooled), atol=1e-4)
    expected = normalised((matrix[1] + matrix[3]) / 2)
    np.testing.assert_allclose(got["pooled_output"][0, 384:], expected, atol=1e-4)
    assert not got["pooled_output"][1:, 384:].any()
    assert not got["sequence_output"][-2, :, 384:].any()


def test_row_zero_stays_zero_where_the_table_is_trained(small, features):
    backbone = small(input_fusion="add", output_fusion="concat", static_trainable=True)
    before = backbone.static_embedding.vectors.numpy()
    classifier = tasks.TextClassifier(backbone, 2, pooling="mean")
    classifier.compile(keras.optimizers.AdamW(0.05, weight_decay=0.1), run_eagerly=True)
    classifier.fit(features(), [0, 1, 1], epochs=2, verbose=0)
    after = backbone.static_embedding.vectors.numpy()
    assert not after[0].any()
    assert np.abs(after[1:] - before[1:]).max() > 0.01


def test_word_vectors_are_fixed_by_default(small):
    backbone = small(output_fusion="concat")
    assert id(backbone.static_embedding.vectors) not in map(id, backbone.trainable_variables)


def test_words_are_dropped_in_training_alone(randomised, features):
    arguments = {"input_fusion": "add", "output_fusion": "concat", "dropout": 0.0}
    kept, never = (randomised(**arguments, static_dropout=rate) for rate in (0.0, 1.0))
    never.set_weights(kept.get_weights())
    batch = features()
    blank = {**batch, "static_ids": 0 * batch["static_ids"]}
    for training, seen in ((False, batch), (True, blank)):
        expected, got = arrays(kept(seen)), arrays(never(batch, training=training))
        for key, value in expected.items():
            np.testing.assert_allclose(got[key], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("position_embedding", ["learned", "sinusoidal"])
def test_norms_positions_widths_and_tags(norm_first, position_embedding, randomised, features):
    backbone = randomised(
        norm_first=norm_first,
        position_embedding=position_embedding,
        embedding_dim=4,
        num_tags=5,
        num_segments=3,
    )
    assert backbone.token_embedding.embeddings.shape == (60, 4)
    assert backbone.token_projection.kernel.shape == (4, 8)
    batch = features(static=False, tags=5)
    output = arrays(backbone(batch))["sequence_output"]
    assert output.shape == (3, 16, 8)
    for key, high in (("tag_ids", 5), ("segment_ids", 3)):
        other = {**batch, key: (batch[key] + 1) % high}
        changed = arrays(backbone(other))["sequence_output"]
        assert np.abs(changed - output).max() > 1e-3
    # Places matter: the same pieces in another order are not the same.
    flipped = {key: value[:1, ::-1] for key, value in batch.items()}
    back = arrays(backbone(flipped))["sequence_output"][:, ::-1]
    assert np.abs(back - output[:1]).max() > 1e-3


def test_norm_first_ends_normalised(small, features):
    output = arrays(small(norm_first=True)(features(static=False)))["sequence_output"]
    np.testing.assert_allclose(output.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(output.std(-1), 1, atol=1e-2)


@pytest.mark.parametrize("norm_first", [False, True])
def test_with_outputs_shares_the_weights(norm_first, small, features):
    backbone = small(norm_first=norm_first, output_fusion="concat")
    batch = features()
    view = backbone.with_outputs(hidden_states=True)
    outputs = view(batch)
    assert "attentions" not in outputs
    assert [state.shape for state in outputs["hidden_states"]] == [(3, 16, 8)] * 3
    backbone.token_embedding.embeddings.assign(backbone.token_embedding.embeddings * 2)
    np.testing.assert_array_equal(
        view(batch)["sequence_output"], backbone(batch)["sequence_output"]
    )
    attentions = backbone.with_outputs(attentions=True)(batch)["attentions"]
    assert [weights.shape for weights in attentions] == [(3, 2, 16, 16)] * 2
    np.testing.assert_allclose(np.asarray(attentions[0]).sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("arguments", [FUSIONS[0], FUSIONS[-1]], ids=name)
def test_half_precision_stays_near_and_padding_alone_is_finite(
    arguments, dtype, randomised, features
):
    batch = features((16, 9, 0), static=bool(arguments))
    exact = randomised(**arguments)
    half = type(exact).from_config({**exact.get_config(), "dtype": dtype})
    half.set_weights(exact.get_weights())
    assert half(batch)["sequence_output"].dtype == dtype.removeprefix("mixed_")
    assert all(variable.dtype == "float32" for variable in half.weights)
    got, expected = arrays(half(batch)), arrays(exact(batch))
    for key, value in got.items():
        assert np.isfinite(value).all()
        real = value[:2], expected[key][:2]
        distance = np.abs(real[0] - real[1]).max() / np.abs(real[1]).max()
        assert distance < (5e-3 if dtype == "mixed_float16" else 5e-2)


def test_too_long_a_sequence(small, features):
    backbone = small()
    batch = features((16, 17), static=False)
    with pytest.raises(BertEmbedError, match=r"position table of 16 rows.*Received: 17 pieces"):
        backbone(batch)


def test_too_long_a_sequence_in_a_dataset_of_many_lengths(small, features):
    classifier = tasks.TextClassifier(small(num_layers=1), 2)
    classifier.compile("sgd")

    def batches():
        for length in (16, 17):
            yield features((length, 3), static=False), [0, 1]

    kinds = {"token_ids": tf.int32, "segment_ids": tf.int32, "padding_mask": tf.bool}
    signature = (
        {key: tf.TensorSpec([None, None], kind) for key, kind in kinds.items()},
        tf.TensorSpec([None], tf.int32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="longer than the position table of 16 rows"
    ):
        classifier.fit(dataset, verbose=0)


def test_no_texts_at_all(small, features):
    batch = {key: value[:0] for key, value in features().items()}
    outputs = small(input_fusion="gate", output_fusion="concat")(batch)
    assert outputs["sequence_output"].shape == (0, 16, 14)
    assert outputs["pooled_output"].shape == (0, 14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_layers": 0}, r"`num_layers` must be an int of at least 1\. Received: 0"),
        ({"embedding_dim": 0}, r"`embedding_dim` must be an int of at least 1\. Received: 0"),
        ({"num_tags": -1}, r"`num_tags` must be 0 \(none\) or more\. Received: -1"),
        ({"static_dim": -6}, r"`static_dim` must be 0 \(none\) or more\. Received: -6"),
        ({"num_heads": 3}, "hidden_dim=8, num_heads=3"),
        ({"input_fusion": "sum"}, r"`input_fusion` must be one of .*'sum'"),
        ({"output_fusion": "sum"}, r"`output_fusion` must be one of .*'sum'"),
        ({"static_normalize": "l2", "output_fusion": "add"}, r"`static_normalize` must .*'l2'"),
        ({"static_dropout": 1.5, "input_fusion": "add"}, r"`static_dropout` must .*1\.5"),
        ({"position_embedding": "rotary"}, r"'rotary'"),
        ({"activation": "swish"}, r"`activation` must be one of .*'swish'"),
    ],
)
def test_arguments_that_cannot_be(arguments, message, small):
    with pytest.raises(BertEmbedError, match=message):
        small(**arguments)


def test_fusion_and_its_table_belong_together(small):
    with pytest.raises(BertEmbedError, match=r"Fusion needs a table .*static_dim=0"):
        models.BertEmbedBackbone(60, 1, 2, 8, 16, input_fusion="add")
    with pytest.raises(BertEmbedError, match="else nothing reads it"):
        small(static_vocabulary_size=5, static_dim=3)
    with pytest.raises(BertEmbedError, match="has no table of word vectors"):
        small().set_static_vectors(np.zeros((2, 3)))


def test_vectors_of_the_wrong_width(small):
    with pytest.raises(BertEmbedError, match=r"= \(13, 6\)\. Received: shape \(13, 50\)"):
        small(output_fusion="concat").set_static_vectors(np.zeros((13, 50)))
