"""Real sentences with their sentiment, and a small backbone over their words."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import models, tasks, text

LENGTH, STATIC_DIM = 24, 6


@pytest.fixture(scope="session")
def reviews():
    """Sentences of film reviews and their labels, in turns."""
    lines = Path(datapath("pang_lee_polarity.cor")).read_text(encoding="cp1252").splitlines()
    pairs = [line.removeprefix("__label__").split(" ", 1) for line in lines[:400]]
    sides = [[t for label, t in pairs if label == side][:32] for side in ("pos", "neg")]
    assert [len(side) for side in sides] == [32, 32]
    texts = [sentence for both in zip(*sides, strict=True) for sentence in both]
    return texts, ["positive", "negative"] * 32


@pytest.fixture(scope="session")
def tokenizer(reviews):
    return text.BertEmbedTokenizer(text.train_vocabulary(reviews[0], 300))


@pytest.fixture(scope="session")
def words(reviews):
    return sorted({word for sentence in reviews[0][:20] for word in sentence.split()})


@pytest.fixture(scope="session")
def make_backbone(tokenizer, words):
    def make(**arguments):
        keras.utils.set_random_seed(0)
        sizes = {
            "vocabulary_size": tokenizer.vocabulary_size(),
            "num_layers": 1,
            "num_heads": 2,
            "hidden_dim": 16,
            "intermediate_dim": 32,
            "max_sequence_length": LENGTH,
        }
        fused = arguments.get("input_fusion") or arguments.get("output_fusion")
        if fused:
            sizes.update(static_vocabulary_size=len(words) + 1, static_dim=STATIC_DIM)
        backbone = models.BertEmbedBackbone(**{**sizes, **arguments})
        if fused:
            matrix = np.random.default_rng(1).normal(size=(len(words) + 1, STATIC_DIM))
            matrix[0] = 0
            backbone.set_static_vectors(matrix)
        return backbone

    return make


@pytest.fixture(scope="session")
def preprocessor(tokenizer):
    return text.Preprocessor(tokenizer, LENGTH)


@pytest.fixture(scope="session")
def word_preprocessor(tokenizer, words):
    return text.Preprocessor(tokenizer, LENGTH, static_words=words)


@pytest.fixture(scope="session")
def make_classifier(make_backbone, preprocessor, word_preprocessor):
    """A classifier that runs eagerly, which is quicker than tracing a few steps."""

    def make(pooling="cls", eagerly=True, optimizer="adam", **arguments):
        backbone = make_backbone(**arguments)
        fused = backbone.static_embedding is not None
        classifier = tasks.TextClassifier(
            backbone,
            ["negative", "positive"],
            word_preprocessor if fused else preprocessor,
            pooling=pooling,
        )
        classifier.compile(optimizer, run_eagerly=eagerly)
        return classifier

    return make


@pytest.fixture(scope="session")
def examples(reviews, tokenizer):
    """Pretraining examples of the sentences, ten to a document."""
    texts = reviews[0]
    documents = [texts[i : i + 8] for i in range(0, len(texts), 8)]

    def make(**arguments):
        settings = {"sequence_length": LENGTH, "batch_size": 8, **arguments}
        return text.PretrainingExamples(documents, tokenizer, **settings)

    return make


@pytest.fixture(scope="session")
def transformers():
    """The package, which brings PyTorch along."""
    # Where TensorFlow is loaded, triton's own LLVM brings the process down; PyTorch does without.
    sys.modules.setdefault("triton", None)
    import transformers

    transformers.utils.logging.disable_progress_bar()
    return transformers
