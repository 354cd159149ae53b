"""tf_bertembed, as a user calls it."""

import numpy as np

from tf_bertembed import probe

PACKAGES = ["tensorflow", "tensorflow-text", "keras"]


def embedder(checkpoint, longest=None):
    transformer = probe.BertEmbedTransformer(checkpoint, sequence_length=longest).fit(["a"])

    def encode(texts):
        vectors = transformer.transform(texts)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return encode
