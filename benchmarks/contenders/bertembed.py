"""tf_bertembed, as a user calls it."""

import time

import numpy as np
import tensorflow  # noqa: F401 - the loader is timed after it

from tf_bertembed import models, probe, text

PACKAGES = ["tensorflow", "tensorflow-text", "keras"]


def embedder(checkpoint, longest=None):
    transformer = probe.BertEmbedTransformer(checkpoint, sequence_length=longest).fit(["a"])

    def encode(texts):
        vectors = transformer.transform(texts)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return encode


def loader(checkpoint):
    """Timed after TensorFlow is imported."""

    def load():
        models.load, text.BertEmbedTokenizer  # noqa: B018 - their modules are imported here
        imported = time.perf_counter()
        models.load(checkpoint)
        text.BertEmbedTokenizer.from_folder(checkpoint)
        return imported

    return load
