import warnings

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import tasks
from tf_bertembed.common import BertEmbedError

FUSED = {"input_fusion": "gate", "output_fusion": "concat"}
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@pytest.mark.parametrize("dtype", PRECISIONS[1:])
def test_half_precision_stays_near(dtype, make_classifier, reviews):
    exact, half = (make_classifier(dtype=name, **FUSED) for name in ("float32", dtype))
    half.set_weights(exact.get_weights())
    expected = exact.predict(reviews[0], verbose=0)
    logits = half.predict(reviews[0], verbose=0)
    assert logits.dtype == "float32"
    distance = np.abs(logits - expected).max() / np.abs(expected).max()
    print(f"{dtype}: {distance:.1e} of the largest logit from float32")
    assert 0 < distance < (1e-2 if dtype == "mixed_float16" else 1e-1)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_row_of_padding_alone_gives_finite_numbers(dtype, make_classifier, word_preprocessor):
    features = {k: v.numpy() for k, v in word_preprocessor(["a good film", "b"]).items()}
    features["padding_mask"][1] = False
    for pooling in ("cls", "mean", "max"):
        logits = make_classifier(pooling, dtype=dtype, **FUSED)(features)
        assert logits.dtype == "float32"
        assert np.isfinite(logits).all()


@pytest.mark.parametrize("fusion", [None, "concat", "gate"])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_what_is_trained_gets_a_gradient_and_the_rest_no_warning(
    pooling, fusion, make_classifier, reviews
):
    classifier = make_classifier(pooling, output_fusion=fusion)
    before = [variable.numpy() for variable in classifier.trainable_variables]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        # Two steps: a gate's words get a gradient once their kernel is not zeros.
        classifier.fit(reviews[0][:8], reviews[1][:8], batch_size=4, verbose=0)
    for variable, old in zip(classifier.trainable_variables, before, strict=True):
        assert np.abs(variable.numpy() - old).max() > 0, variable.path
    ids = {id(v) for v in classifier.trainable_variables}
    backbone = classifier.backbone
    assert (id(backbone.pooler_dense.kernel) in ids) == (pooling == "cls")
    assert {id(v) for v in classifier.non_trainable_variables}.isdisjoint(ids)
    total = classifier.trainable_weights + classifier.non_trainable_weights
    assert {id(v) for v in total} == {id(v) for v in classifier.weights}


def test_one_task_leaves_another_over_its_backbone_free(make_backbone):
    backbone = make_backbone(output_fusion="concat")
    pretrainer = tasks.Pretrainer(backbone, next_sentence=False)
    mean = tasks.TextClassifier(backbone, 2, pooling="mean")
    classifier = tasks.TextClassifier(backbone, 2, pooling="cls")
    again = tasks.Pretrainer(backbone)

    def trains(task, layer):
        return {id(v) for v in layer.variables} <= {id(v) for v in task.trainable_variables}

    assert not trains(pretrainer, backbone.pooler_dense)
    assert not trains(mean, backbone.pooler_dense)
    assert trains(classifier, backbone.pooler_dense)
    assert trains(classifier, backbone.pooled_fusion_layer)
    assert not trains(classifier, backbone.output_fusion_layer)
    assert trains(mean, backbone.output_fusion_layer)
    assert trains(again, backbone.pooler_dense)


def test_what_the_user_froze_stays_frozen(make_classifier):
    classifier = make_classifier()
    classifier.backbone.trainable = False
    assert len(classifier.trainable_variables) == 2
    classifier.backbone.trainable = True
    classifier.backbone.pooler_dense.trainable = False
    ids = {id(v) for v in classifier.trainable_variables}
    assert id(classifier.backbone.pooler_dense.kernel) not in ids


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_the_head_is_one_dense_layer_over_the_pooled_vector(
    pooling, make_classifier, word_preprocessor, reviews
):
    classifier = make_classifier(pooling, **FUSED)
    features = word_preprocessor(reviews[0][:5])
    outputs = classifier.backbone(features)
    mask = features["padding_mask"].numpy()[..., None]
    x = outputs["sequence_output"].numpy()
    pooled = {
        "cls": outputs["pooled_output"].numpy(),
        "mean": (x * mask).sum(1) / mask.sum(1),
        "max": np.where(mask, x, -np.inf).max(1),
    }[pooling]
    kernel = classifier.output_dense.kernel.numpy()
    assert kernel.shape == (16 + 6, 2)
    np.testing.assert_allclose(classifier(features), pooled @ kernel, atol=1e-5)


def test_encode_labels(make_classifier):
    classifier = make_classifier()
    encoded = classifier.encode_labels(["positive", "negative"])
    assert (encoded.tolist(), encoded.dtype) == ([1, 0], "int32")
    assert classifier.encode_labels(np.array(["negative"], object)).tolist() == [0]
    assert classifier.encode_labels(np.array([1, 0], "int64")).tolist() == [1, 0]
    assert classifier.encode_labels(tf.constant(["negative", "positive"])).tolist() == [0, 1]
    assert classifier.encode_labels(tf.constant([1, 0], tf.int64)).tolist() == [1, 0]
    assert classifier.encode_labels(None) is None
    for wrong, message in (
        (["neutral", "positive"], r"\['neutral'\]"),
        ([-1, 0], r"\[-1\]"),
        ([0, 2], r"\[2\]\. Known: \['negative', 'positive'\]"),
        ([True, False], "Received: dtype bool"),
        ([1.0], "Received: dtype float64"),
        (tf.constant(["sport"]), r"\['sport'\]"),
        (tf.constant([0, 5]), r"\[5\]"),
        ([[0], [1]], r"One label a text .* Received: shape \(2, 1\)"),
        (1, r"One label a text .* Received: shape \(\)"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            classifier.encode_labels(wrong)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (3, ["0", "1", "2"]),
        (np.int64(2), ["0", "1"]),
        (np.array(["x", "y"]), ["x", "y"]),
        (("b", "人"), ["b", "人"]),
    ],
)
def test_labels(labels, names, make_backbone):
    assert tasks.TextClassifier(make_backbone(), labels).labels == names


@pytest.mark.parametrize("labels", [1, 0, [], ["a"], ["a", "b", "a"]])
def test_labels_that_cannot_be(labels, make_backbone):
    with pytest.raises(BertEmbedError, match="at least two labels, each once"):
        tasks.TextClassifier(make_backbone(), labels)


@pytest.mark.parametrize("labels", [[0, 1], ["a", None], "ab"])
def test_labels_that_are_no_strings(labels, make_backbone):
    with pytest.raises(BertEmbedError, match=r"`labels` must be a list of strings.*Received: "):
        tasks.TextClassifier(make_backbone(), labels)


def test_unknown_pooling(make_backbone):
    with pytest.raises(BertEmbedError, match=r"`pooling` must be one of .*'sum'"):
        tasks.TextClassifier(make_backbone(), 2, pooling="sum")


def test_signatures(make_classifier, word_preprocessor, reviews):
    classifier = make_classifier("mean", **FUSED)
    features = word_preprocessor(reviews[0][:5])
    functions = classifier.signatures()
    answers = tf.function(functions["serving_default"])(features)
    shares = answers["probabilities"].numpy()
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(
        np.log(shares[:, 0] / shares[:, 1]), -np.diff(classifier(features))[:, 0], atol=1e-4
    )
    chosen = [classifier.labels[i].encode() for i in shares.argmax(-1)]
    assert answers["label"].numpy().tolist() == chosen
    assert answers["classes"].numpy().tolist() == [[b"negative", b"positive"]] * 5
    embedding = tf.function(functions["embed"])(features)["embedding"]
    kernel = classifier.output_dense.kernel.numpy()
    np.testing.assert_allclose(embedding @ kernel, classifier(features), atol=1e-5)


def test_text_inputs(make_backbone):
    assert tasks.TextClassifier(make_backbone(), 2).text_inputs == ("text",)
    assert tasks.TextClassifier(make_backbone(), 2, pair=True).text_inputs == ("text_a", "text_b")
