"""From strings to vectors, whatever form the model is stored in."""

from pathlib import Path

import numpy as np

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError, read_json
from tf_bertembed.common.damage import telling_damage
from tf_bertembed.export.loading import load_exported
from tf_bertembed.export.versions import newest_version
from tf_bertembed.models.batch_runs import (
    byte_batches,
    default_streams,
    encode_batches,
    progress_or,
)

TASK, SENTENCE_ENCODER = "task.json", "tf_bertembed>SentenceEncoder"


class SavedModelEncoder:
    """Encodes texts by the signature `embed` of an exported model.

    Its tokenizer cannot be asked for lengths, so batches are cut by bytes.
    """

    def __init__(self, folder):
        # Kept, since it holds the variables.
        self._model = load_exported(folder)
        embed = self._model.signatures.get("embed")
        inputs = [] if embed is None else sorted(embed.structured_input_signature[1])
        if inputs != ["text"]:
            raise BertEmbedError(
                f"{folder} has no signature `embed` that takes `text`. Received: {inputs}. "
                "Export it with `export.export_saved_model`."
            )
        self._embed = embed
        width = embed.structured_outputs["embedding"].shape[-1]
        # A model of another program may leave it open.
        self.output_dim = self.encode([""]).shape[1] if width is None else width

    def encode(self, texts, batch_size=None, max_pieces=None, streams=None, advance=None):
        """As for `models.TextEncoder`, but that pieces are reckoned from bytes."""
        if not texts:
            raise BertEmbedError("There is no text to encode. Received: an empty list.")
        with progress_or(advance, len(texts)) as advance:
            return encode_batches(
                lambda batch: self._embed(text=batch)["embedding"],
                texts,
                byte_batches(texts, batch_size, max_pieces),
                default_streams() if streams is None else streams,
                advance=advance,
            )


def _is_sentence_encoder(path):
    task = path / TASK
    return task.exists() and read_json(task).get("registered_name") == SENTENCE_ENCODER


def _sentence_encoder(path, sequence_length):
    encoder = tasks.SentenceEncoder.from_preset(path)
    if sequence_length is not None:
        encoder.preprocessor.sequence_length = sequence_length
        encoder.check_parts()
    return encoder


def load_encoder(
    path, pooling=None, normalize=None, sequence_length=None, layers=None, layer_weights=None
):
    """Load whatever stands at a path as an encoder of strings.

    A folder of a `tasks.SentenceEncoder` pools, maps and normalises as that
    does, where neither `pooling`, `normalize` nor `layers` asks for anything
    else.

    Args:
        path: string. An exported model, a checkpoint folder or a name.
        pooling: string. For checkpoints, as for `models.load_encoder`.
        normalize: bool. For checkpoints, as for `models.load_encoder`.
        sequence_length: int. For checkpoints: the most pieces of a text.
        layers: int or list of ints. For checkpoints, as for
            `models.load_encoder`.
        layer_weights: list of floats. For checkpoints, as for
            `models.load_encoder`.

    Returns:
        An object with `encode(texts, batch_size, max_pieces, streams,
        advance)` and `output_dim`.

    Raises:
        MissingFileError: where nothing stands at the path.
        FileFormatError: where the model's files are damaged.
        BertEmbedError: where it is no model, or a setting does not suit it.
    """
    if normalize is not None and not isinstance(normalize, bool | np.bool_):
        raise BertEmbedError(f"`normalize` must be True, False or None. Received: {normalize!r}.")
    exported = newest_version(path)
    asked = [value is not None for value in (pooling, normalize, layers, layer_weights)]
    if exported is None:
        settings = (sequence_length, layers, layer_weights)
        with telling_damage(path):
            if not any(asked) and _is_sentence_encoder(Path(path)):
                return _sentence_encoder(path, sequence_length)
            return models.load_encoder(path, pooling, normalize, *settings)
    if any(asked) or sequence_length is not None:
        raise BertEmbedError(
            "An exported model has its own pooling and length; leave `pooling`, `normalize`, "
            "`sequence_length` and `layers` at their defaults. Received: "
            f"{pooling!r}, {normalize}, {sequence_length}, {layers}."
        )
    return SavedModelEncoder(exported)
