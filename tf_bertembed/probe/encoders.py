"""From strings to vectors, whatever form the model is stored in."""

from pathlib import Path

import tensorflow as tf

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, numbered_folders
from tf_bertembed.models.text_encoder import MAX_PIECES, default_streams, encode_batches

# About what a piece of English takes; one of Chinese takes 3.
BYTES_PER_PIECE = 4


class SavedModelEncoder:
    """Encodes texts by the signature `embed` of an exported model.

    Its tokenizer cannot be asked for lengths, so batches are cut by bytes.
    """

    def __init__(self, folder):
        # Kept, since it holds the variables.
        self._model = tf.saved_model.load(str(folder))
        embed = self._model.signatures.get("embed")
        inputs = [] if embed is None else sorted(embed.structured_input_signature[1])
        if inputs != ["text"]:
            raise BertEmbedError(
                f"{folder} has no signature `embed` that takes `text`. Received: {inputs}. "
                "Export it with `export.export_saved_model`."
            )
        self._embed = embed

    def encode(self, texts, batch_size=None, max_pieces=None, streams=None):
        """As for `models.TextEncoder`, but that pieces are reckoned from bytes."""
        if not texts:
            raise BertEmbedError("There is no text to encode. Received: an empty list.")
        max_pieces = MAX_PIECES if max_pieces is None else max_pieces
        return encode_batches(
            lambda batch: self._embed(text=batch)["embedding"],
            texts,
            text.length_batches(texts, batch_size, max_bytes=BYTES_PER_PIECE * max_pieces),
            default_streams() if streams is None else streams,
        )


def _version_folder(path):
    if (path / "saved_model.pb").exists():
        return path
    versions = numbered_folders(path).values()
    complete = [entry for entry in versions if (entry / "saved_model.pb").exists()]
    return complete[-1] if complete else None


def load_encoder(path, pooling=None, normalize=None, sequence_length=None):
    """Load whatever stands at a path as an encoder of strings.

    Args:
        path: string. An exported model, a checkpoint folder or a name.
        pooling: string. For checkpoints, as for `models.load_encoder`.
        normalize: bool. For checkpoints, as for `models.load_encoder`.
        sequence_length: int. For checkpoints: the most pieces of a text.

    Returns:
        An object with `encode(texts, batch_size, max_pieces, streams)`.

    Raises:
        MissingFileError: where nothing stands at the path.
        BertEmbedError: where it is no model, or a setting does not suit it.
    """
    exported = _version_folder(Path(path))
    if exported is None:
        return models.load_encoder(path, pooling, normalize, sequence_length)
    if (pooling or "mean") != "mean" or sequence_length is not None or normalize is not None:
        raise BertEmbedError(
            "An exported model has its own pooling and length; leave `pooling`, `normalize` and "
            f"`sequence_length` at their defaults. Received: {pooling!r}, {normalize}, "
            f"{sequence_length}."
        )
    return SavedModelEncoder(exported)
