"""Pairs of reviews, and encoders of them."""

import numpy as np
import pytest

from tf_bertembed import tasks, text


@pytest.fixture(scope="module")
def pairs(reviews):
    return reviews[0][:16], reviews[0][8:24]


@pytest.fixture(scope="module")
def scores():
    return np.linspace(0, 5, 16).tolist()


@pytest.fixture(scope="module")
def counts(reviews, tokenizer):
    return text.count_pieces(text.count_words(reviews[0], tokenizer), tokenizer)


@pytest.fixture(scope="module")
def make_encoder(make_backbone, preprocessor, word_preprocessor, counts):
    def make(backbone_arguments=None, eagerly=True, **arguments):
        backbone = make_backbone(**(backbone_arguments or {}))
        fused = backbone.static_embedding is not None
        if arguments.get("pooling") == "sif":
            arguments.setdefault("frequencies", counts)
        encoder = tasks.SentenceEncoder(
            backbone, word_preprocessor if fused else preprocessor, **arguments
        )
        encoder.compile("adam", run_eagerly=eagerly)
        return encoder

    return make
