"""Texts, a small model of them in each form that the transformer reads, and vectors."""

from pathlib import Path

import keras
import pytest
from gensim.test.utils import datapath

from tf_bertembed import export, models, tasks, text


@pytest.fixture(scope="session")
def texts():
    """Sentences of real news, of many lengths."""
    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()
    return [line.split(". ")[0][: 10 + 15 * row] for row, line in enumerate(lines[:12])]


@pytest.fixture(scope="session")
def classifier(texts):
    keras.utils.set_random_seed(0)
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(texts, 200, min_frequency=1))
    backbone = models.BertEmbedBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=40,
    )
    preprocessor = text.Preprocessor(tokenizer, sequence_length=32)
    return tasks.TextClassifier(backbone, 2, preprocessor, pooling="mean")


@pytest.fixture(scope="session")
def preset(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "small"
    classifier.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def saved_model(classifier, tmp_path_factory):
    return export.export_saved_model(classifier, tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="session")
def expected(classifier, texts):
    """The mean vector of each text alone."""
    embed = classifier.signatures()["embed"]
    return [embed(classifier.preprocessor([one]))["embedding"].numpy()[0] for one in texts]


@pytest.fixture(scope="session")
def glove():
    return datapath("test_glove.txt")
