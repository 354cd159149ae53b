"""What is served computes in float32, with all that was learned in its kernels."""

import numpy as np
import pytest

from tf_bertembed import export, models, tasks, text
from tf_bertembed.export.inference import inference_form
from tf_bertembed.models.lora import adapted_layers

TEXTS = ["Ada wrote.", "🙂 Café", "我住", "", "wrote wrote Ada"]


def test_a_float32_task_is_served_itself(named, tiny_task):
    assert inference_form(named) is named
    own = tiny_task()
    assert inference_form(own) is own


def make_pair(make_parts, precision):
    """A classifier in mixed precision, and one of the same weights that was never so."""
    backbone, preprocessor = make_parts(dtype=precision)
    trained = tasks.TextClassifier(backbone, ["no", "yes"], preprocessor, pooling="mean")
    trained.output_dense.kernel.assign(trained.output_dense.kernel * 50)
    reference = tasks.TextClassifier(make_parts()[0], ["no", "yes"], preprocessor, pooling="mean")
    reference.set_weights(trained.get_weights())
    return trained, reference


def test_mixed_precision_is_served_in_float32(make_parts):
    trained, reference = make_pair(make_parts, "mixed_float16")
    features = reference.preprocessor(TEXTS)
    expected = reference(features).numpy()
    served = inference_form(trained)(features).numpy()
    assert np.abs(served - expected).max() <= 1e-6 * np.abs(expected).max()
    mixed = trained(features).numpy()
    assert np.abs(mixed - expected).max() > 1e-4 * np.abs(expected).max()
    assert trained.backbone.compute_dtype == "float16"


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_a_model_of_mixed_precision_answers_in_float32(make_parts, tmp_path, precision):
    trained, reference = make_pair(make_parts, precision)
    path = export.export_saved_model(trained, tmp_path, examples=TEXTS, warmup=False)
    features = reference.preprocessor(TEXTS)
    expected = reference.probabilities(reference(features)).numpy()
    with export.CApiModel(path) as model:
        found = model.run({"text": TEXTS})["probabilities"]
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-5
    assert np.abs(trained.probabilities(trained(features)).numpy() - expected).max() > 1e-5


def test_low_rank_changes_are_in_the_kernels_that_are_served(make_parts):
    backbone, preprocessor = make_parts()
    models.add_lora(backbone, rank=2)
    for layer in adapted_layers(backbone):
        layer.lora_kernel_b.assign(np.full(layer.lora_kernel_b.shape, 0.3))
    encoder = tasks.SentenceEncoder(backbone, preprocessor)
    served = inference_form(encoder)
    assert not adapted_layers(served.backbone)
    assert adapted_layers(encoder.backbone)
    assert served.count_params() < encoder.count_params()
    features = encoder.inputs_of(preprocessor(TEXTS))
    expected = encoder(features).numpy()
    assert np.abs(served(features).numpy() - expected).max() <= 1e-5 * np.abs(expected).max()


def test_all_of_a_task_is_kept(make_parts):
    backbone, preprocessor = make_parts(dtype="mixed_bfloat16")
    encoder = tasks.SentenceEncoder(
        *(backbone, preprocessor, "sif", "softmax"),
        labels=["no", "yes"],
        projection_dim=3,
        frequencies=np.arange(1, 13),
    )
    served = inference_form(encoder)
    assert served.get_config()["labels"] == ["no", "yes"]
    assert served.preprocessor is preprocessor
    for mine, theirs in zip(encoder.weights, served.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    backbone, preprocessor = make_parts(text.QuestionPreprocessor, dtype="mixed_bfloat16")
    answerer = tasks.QuestionAnswerer(backbone, preprocessor, n_best=2, null_threshold=0.5)
    assert inference_form(answerer).null_threshold == 0.5
    assert inference_form(answerer).n_best == 2
