"""From strings to vectors, whatever form the model is stored in."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, numbered_folders
from tf_bertembed.layers import MaskedPooling
from tf_bertembed.tasks.base import check_parts

LONGEST = 256


class Encoder:
    """Runs a function from string tensors to vectors over batches by length."""

    def __init__(self, function):
        self._function = function

    def encode(self, texts, batch_size):
        """Encode texts; rows in the caller's order, float32."""
        vectors = None
        for rows in text.length_batches(texts, batch_size):
            batch = self._function(tf.constant([texts[row] for row in rows])).numpy()
            if vectors is None:
                vectors = np.empty((len(texts), batch.shape[1]), "float32")
            vectors[rows] = batch
        return vectors


def _version_folder(path):
    if (path / "saved_model.pb").exists():
        return path
    versions = numbered_folders(path).values()
    complete = [entry for entry in versions if (entry / "saved_model.pb").exists()]
    return complete[-1] if complete else None


def _saved_model_encoder(folder):
    model = tf.saved_model.load(str(folder))
    embed = model.signatures.get("embed")
    inputs = [] if embed is None else sorted(embed.structured_input_signature[1])
    if inputs != ["text"]:
        raise BertEmbedError(
            f"{folder} has no signature `embed` that takes `text`. Received: {inputs}. "
            "Export it with `export.export_saved_model`."
        )

    def function(texts):
        return embed(text=texts)["embedding"]

    function.model = model  # keeps the variables alive
    return Encoder(function)


def _preprocessor(folder, sequence_length, longest):
    if (folder / "preprocessor.json").exists():
        preprocessor = text.Preprocessor.from_preset(str(folder))
        preprocessor.sequence_length = min(sequence_length or preprocessor.sequence_length, longest)
        return preprocessor
    tokenizer = text.BertEmbedTokenizer.from_folder(folder)
    return text.Preprocessor(tokenizer, sequence_length=sequence_length or min(longest, LONGEST))


def _checkpoint_encoder(folder, pooling, sequence_length):
    backbone = models.load(folder)
    longest = backbone.max_sequence_length
    if sequence_length is not None and sequence_length > longest:
        raise BertEmbedError(
            f"`sequence_length` is longer than the position table of {folder}. "
            f"Received: {sequence_length}; at most: {longest}."
        )
    preprocessor = _preprocessor(folder, sequence_length, longest)
    check_parts(backbone, preprocessor)
    pool = MaskedPooling(pooling, dtype="float32")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], jit_compile=False)
    def function(texts):
        features = preprocessor(texts)
        outputs = backbone(features, training=False)
        return pool(outputs["sequence_output"], features["padding_mask"])

    return Encoder(function)


def load_encoder(path, pooling="mean", sequence_length=None):
    """Load whatever stands at a path as an encoder of strings.

    Args:
        path: string. An exported model, a checkpoint folder or a name.
        pooling: string. For checkpoints: `"mean"`, `"max"` or `"cls"`.
        sequence_length: int. For checkpoints: the most pieces of a text.

    Returns:
        An `Encoder`.

    Raises:
        MissingFileError: where nothing stands at the path.
        BertEmbedError: where it is no model, or a setting does not suit it.
    """
    exported = _version_folder(Path(path))
    if exported is None:
        return _checkpoint_encoder(models.find_checkpoint(path), pooling, sequence_length)
    if pooling != "mean" or sequence_length is not None:
        raise BertEmbedError(
            "An exported model has its own pooling and length; leave `pooling` and "
            f"`sequence_length` at their defaults. Received: {pooling!r}, {sequence_length}."
        )
    return _saved_model_encoder(exported)
