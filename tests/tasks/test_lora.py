"""A task whose backbone is adapted, from `fit` to what is saved and served."""

import keras
import numpy as np
import pytest

from tf_bertembed import export, models, tasks, text


@pytest.fixture
def adapted(make_backbone, preprocessor, reviews):
    """A classifier that was trained a little, its texts, and its logits."""

    def adapted(dtype=None):
        backbone = make_backbone(dtype=dtype)
        classifier = tasks.TextClassifier(backbone, ["negative", "positive"], preprocessor)
        models.add_lora(backbone, 2, targets=("query", "value", "output"))
        classifier.compile(keras.optimizers.Adam(0.02), run_eagerly=dtype is not None)
        texts, labels = (part[:8] for part in reviews)
        classifier.fit(texts, labels, batch_size=4, epochs=2, verbose=0)
        dense = backbone.transformer_layers[0].attention.qkv_dense
        assert np.abs(np.asarray(dense.lora_kernel_b)).min() > 0
        return classifier, texts, classifier.predict(texts, verbose=0)

    return adapted


@pytest.mark.slow
def test_float32_is_saved_and_served_as_in_memory(adapted, tmp_path):
    classifier, texts, expected = adapted()
    classifier.save_to_preset(str(tmp_path / "preset"))
    again = tasks.TextClassifier.from_preset(str(tmp_path / "preset"))
    np.testing.assert_allclose(again.predict(texts, verbose=0), expected, rtol=1e-5, atol=1e-5)
    assert not [v.path for v in again.weights if "lora" in v.path]
    path = export.export_saved_model(classifier, tmp_path / "served", examples=texts[:2])
    export.verify(path)
    models.merge_lora(classifier.backbone)
    classifier.compile()
    np.testing.assert_allclose(classifier.predict(texts, verbose=0), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_half_precision_and_a_keras_file(adapted, tmp_path):
    classifier, texts, expected = adapted("mixed_float16")
    assert {v.dtype for v in classifier.weights} == {"float32"}
    classifier.save(tmp_path / "classifier.keras")
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        again = keras.saving.load_model(tmp_path / "classifier.keras")
    bound = 5e-3 * np.abs(expected).max()
    assert np.abs(again.predict(texts, verbose=0) - expected).max() < bound


@pytest.mark.slow
def test_what_was_traced_before_follows_what_is_adapted_and_merged(make_backbone, preprocessor):
    backbone = make_backbone()
    texts = ["a fine film", "dull"]
    windows = text.QuestionPreprocessor(preprocessor.tokenizer, 24)
    encoder = tasks.SentenceEncoder(backbone, preprocessor)
    answerer = tasks.QuestionAnswerer(backbone, windows)

    def found():
        return (
            encoder.encode(texts),
            encoder.predict(texts, verbose=0),
            np.array([answer["no_answer_score"] for answer in answerer.answer((texts, texts))]),
        )

    before = found()
    models.add_lora(backbone, 2)
    for variable in backbone.trainable_variables:
        if "lora" in variable.name:
            variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    pieces = backbone(preprocessor(["dull"]))["sequence_output"].numpy()[0]
    np.testing.assert_allclose(encoder.encode(["dull"])[0], pieces.mean(0), rtol=1e-4, atol=1e-5)
    adapted = found()
    assert all(np.abs(one - other).max() > 1e-4 for one, other in zip(before, adapted, strict=True))
    models.merge_lora(backbone)
    for one, other in zip(found(), adapted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
