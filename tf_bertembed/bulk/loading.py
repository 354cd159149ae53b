"""A model loaded in a worker, without what TensorFlow writes while it starts."""

import contextlib
import os

from tf_bertembed.common.native_noise import without_noise


def load_model(settings):
    """Load TensorFlow and a model.

    Quietly where TF_CPP_MIN_LOG_LEVEL asks for errors alone, since TensorFlow
    says some things before it reads that.

    Args:
        settings: `ModelSettings`.

    Returns:
        An `EmbeddingModel`.

    Raises:
        BertEmbedError: as `EmbeddingModel` does.
    """
    quiet = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") >= "2"
    with without_noise() if quiet else contextlib.nullcontext():
        from tf_bertembed.bulk.embedding_model import EmbeddingModel

        return EmbeddingModel(settings)
