import warnings

import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks

FUSED = {"input_fusion": "add", "output_fusion": "concat"}


@pytest.fixture(scope="module")
def eight(reviews):
    return reviews[0][:8], reviews[1][:8]


# Saved by its name as the other half precision is, whose optimizer has a scale besides.
BFLOAT16 = pytest.param("mixed_bfloat16", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["float32", "mixed_float16", BFLOAT16])
def trained(request, make_classifier, eight):
    """A task of each precision, which no test changes."""
    classifier = make_classifier("mean", dtype=request.param, **FUSED)
    classifier.fit(*eight, verbose=0)
    return classifier


@pytest.fixture(scope="module")
def preset(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset")
    trained.save_to_preset(str(folder))
    return folder


def test_preset_round_trip(trained, preset, eight):
    dtype = trained.dtype_policy.name
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        again = tasks.TextClassifier.from_preset(preset, dtype=dtype)
    assert type(again) is tasks.TextClassifier
    assert again.dtype_policy.name == dtype
    assert (again.labels, again.pooling) == (trained.labels, "mean")
    assert again.preprocessor.static_words == trained.preprocessor.static_words
    assert again.preprocessor.sequence_length == trained.preprocessor.sequence_length
    features = again.preprocessor(eight[0])
    np.testing.assert_array_equal(again(features), trained(features))


def test_the_backbone_of_a_preset(trained, preset, word_preprocessor, eight):
    backbone = models.load(preset, dtype=trained.dtype_policy.name)
    features = word_preprocessor(eight[0])
    np.testing.assert_array_equal(
        np.asarray(backbone(features)["sequence_output"]),
        np.asarray(trained.backbone(features)["sequence_output"]),
    )


def test_keras_file_round_trip_goes_on_where_it_was(trained, eight, tmp_path):
    trained.save(tmp_path / "task.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        again = keras.saving.load_model(tmp_path / "task.keras")
    assert again.dtype_policy.name == trained.dtype_policy.name
    np.testing.assert_array_equal(
        again.predict(eight[0], verbose=0), trained.predict(eight[0], verbose=0)
    )
    assert type(again.optimizer) is type(trained.optimizer)
    assert int(again.optimizer.iterations) == int(trained.optimizer.iterations) > 0
    for got, expected in zip(again.optimizer.variables, trained.optimizer.variables, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_keras_file_of_the_defaults(make_backbone, preprocessor, eight, tmp_path):
    classifier = tasks.TextClassifier(make_backbone(), ["negative", "positive"], preprocessor)
    classifier.save(tmp_path / "task.keras")
    again = keras.saving.load_model(tmp_path / "task.keras")
    np.testing.assert_array_equal(
        again.predict(eight[0], verbose=0), classifier.predict(eight[0], verbose=0)
    )
    assert again.evaluate(*eight, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}


@pytest.mark.parametrize(("kind", "tied"), [("preset", True), ("keras", True), ("preset", False)])
def test_pretrainer_stays_tied(kind, tied, make_backbone, preprocessor, examples, tmp_path):
    backbone = make_backbone(embedding_dim=8)
    pretrainer = tasks.Pretrainer(backbone, preprocessor, tie_weights=tied)
    pretrainer.compile("adam", run_eagerly=True)
    pretrainer.fit(examples().epoch(0).take(2), verbose=0)
    if kind == "preset":
        pretrainer.save_to_preset(str(tmp_path))
        again = tasks.Pretrainer.from_preset(tmp_path)
    else:
        pretrainer.save(tmp_path / "task.keras")
        again = keras.saving.load_model(tmp_path / "task.keras")
    assert again.masked_lm_head.token_embedding is again.backbone.token_embedding
    assert again.count_params() == pretrainer.count_params()
    head = again.masked_lm_head
    assert (head.output_embeddings is head.token_embedding.embeddings) is tied
    features = next(iter(examples().epoch(0)))[0]
    for key, value in pretrainer(features).items():
        np.testing.assert_array_equal(again(features)[key], value)


def test_fine_tuning_after_pretraining(make_backbone, preprocessor, examples, eight, tmp_path):
    pretrainer = tasks.Pretrainer(make_backbone(), preprocessor, next_sentence=False)
    pretrainer.compile("adam", run_eagerly=True)
    pretrainer.fit(examples(next_sentence=False).epoch(0).take(2), verbose=0)
    pretrainer.save_to_preset(str(tmp_path))
    backbone = models.load(tmp_path)
    np.testing.assert_array_equal(
        backbone.token_embedding.embeddings, pretrainer.backbone.token_embedding.embeddings
    )
    classifier = tasks.TextClassifier(backbone, ["negative", "positive"], preprocessor)
    pooler = backbone.pooler_dense.kernel.numpy()
    classifier.compile("adam", run_eagerly=True)
    classifier.fit(*eight, verbose=0)
    assert np.abs(backbone.pooler_dense.kernel.numpy() - pooler).max() > 0
