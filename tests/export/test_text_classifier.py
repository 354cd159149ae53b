"""A real classifier, from strings, through the C API: the numbers of the model in memory."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, models, tasks, text
from tf_bertembed.export.records import RECORD

TEXTS = [
    "Shares of the company fell.",
    "The café closed; naïve investors lost.",
    "我住在北京",
    "🙂 what a match!",
    "",
    "He scored twice in the last minute of the match. " * 30,
]
WORDS = ["the", "company", "café", "naïve", "我", "match", "minute", "🙂"]


def make_classifier(pair=False, **backbone_arguments):
    pieces = "shares of the company fell caf ##e ; na ##ive match in he scored 我 住 北 京 ! ."
    vocabulary = [*text.SPECIAL_TOKENS, *pieces.split()]
    preprocessor = text.Preprocessor(
        text.BertEmbedTokenizer(vocabulary), sequence_length=32, static_words=WORDS
    )
    keras.utils.set_random_seed(0)
    backbone = models.BertEmbedBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=32,
        static_vocabulary_size=len(WORDS) + 1,
        static_dim=8,
        **backbone_arguments,
    )
    return tasks.TextClassifier(
        backbone, ["business", "sport", "人"], preprocessor=preprocessor, pair=pair
    )


@pytest.fixture(scope="module")
def trained():
    classifier = make_classifier(output_fusion="concat", input_fusion="gate")
    # Eagerly: one step is quicker than tracing it.
    classifier.compile(optimizer="adam", run_eagerly=True)
    classifier.fit(TEXTS, [0, 0, 2, 1, 2, 1], epochs=1, batch_size=6, verbose=0)
    return classifier


@pytest.fixture(scope="module")
def path(trained, tmp_path_factory):
    return export.export_saved_model(trained, tmp_path_factory.mktemp("saved_models") / "news")


def test_answers_as_in_memory(path):
    report = export.verify(path, tolerance=1e-5)
    assert report.ok, str(report)
    assert 0 <= report.difference <= 1e-5
    assert {(check.signature, check.output) for check in report.checks} == {
        *(("serving_default", output) for output in ("label", "classes", "probabilities")),
        *(("classify", output) for output in ("classes", "scores")),
        *(("tokenize", output) for output in ("pieces", "token_ids", "starts", "ends")),
        ("embed", "embedding"),
    }


@pytest.fixture(scope="module")
def served(path):
    with export.CApiModel(path) as model:
        yield model


def test_texts_that_were_not_recorded(trained, path):
    # Eagerly, as it was trained; in a process of its own, as it is served.
    expected = tf.nn.softmax(trained(trained.preprocessor(TEXTS))).numpy()
    outputs = export.answer(path, TEXTS)
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-5)
    assert outputs["label"].tolist() == [trained.labels[row] for row in expected.argmax(axis=1)]


def test_a_batch_answers_as_its_texts_alone(served):
    together = served.run({"text": TEXTS}, "embed")["embedding"]
    alone = [served.run({"text": [one]}, "embed")["embedding"][0] for one in TEXTS]
    scale = np.abs(together).max()
    assert np.abs(together - np.stack(alone)).max() / scale <= 1e-5


def test_words_are_looked_up_in_the_graph(served):
    # "café" and "cafe" are the same pieces, but only one of them is a word of the table.
    with_word, without = served.run({"text": ["café", "cafe"]}, "embed")["embedding"]
    assert np.abs(with_word - without).max() > 1e-4


def test_no_optimizer_state(trained, path):
    saved = tf.train.list_variables(str(path / "variables" / "variables"))
    numbers = sum(int(np.prod(shape)) for name, shape in saved if name.startswith("weights"))
    assert numbers <= trained.count_params()
    assert not any("optimizer" in name for name, _ in saved)


@pytest.mark.slow
def test_a_pair(tmp_path):
    classifier = make_classifier(pair=True, output_fusion="concat")
    path = export.export_saved_model(classifier, tmp_path / "pairs")
    assert set(json.loads((path / RECORD).read_text(encoding="utf-8"))["inputs"]) == {
        *("text_a", "text_b")
    }
    report = export.verify(path)
    assert report.ok, str(report)
    assert "TFText>RoundRobinTrim" not in report.ops
