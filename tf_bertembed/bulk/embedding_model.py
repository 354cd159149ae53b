"""An exported model as a worker holds it: texts in, vectors and failures out."""

import contextlib
import re

import numpy as np
import tensorflow as tf

from tf_bertembed.bulk.failures import check_text, failure_of
from tf_bertembed.bulk.model_files import EMBED, OUTPUT, find_model
from tf_bertembed.export.loading import load_exported
from tf_bertembed.models.batch_runs import byte_batches, encode_batches

# What a text or the size of a batch may cause; all else is the machine's fault, and is raised.
CAUSED_BY_TEXTS = (
    tf.errors.InvalidArgumentError,
    tf.errors.OutOfRangeError,
    tf.errors.ResourceExhaustedError,
)


class EmbeddingModel:
    """Embeds texts by the signature `embed` of an exported model.

    Texts are sorted by length and cut into batches that hardly hold padding.
    A batch that fails is run again text by text, so that only the texts that
    cause it are left without a vector.

    Args:
        settings: `ModelSettings`.

    Raises:
        BertEmbedError: as `find_model` does, and where the model cannot be
            loaded.
    """

    def __init__(self, settings):
        if settings.threads is not None:
            # Raised where TensorFlow was in use before: its threads stay as they are.
            with contextlib.suppress(RuntimeError):
                tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
                tf.config.threading.set_inter_op_parallelism_threads(settings.streams)
        folder, self.dimensions = find_model(settings.path)
        self._settings = settings
        # Kept, since it holds the variables.
        self._model = load_exported(folder)
        self._signature = self._model.signatures[EMBED]

    def embed(self, values):
        """Embed texts.

        Args:
            values: sequence of N strings; what is no text becomes a failure.

        Returns:
            A triple: vectors, float32 `[N, dimensions]`, NaN where there is
            none; a dict from the places without a vector to `TextFailure`s;
            and the number of batches that ran (int).
        """
        failures = {}
        for row, value in enumerate(values):
            failure = check_text(value, self._settings.max_text_bytes)
            if failure is not None:
                failures[row] = failure
        vectors = np.full((len(values), self.dimensions), np.nan, "float32")
        rows = [row for row in range(len(values)) if row not in failures]
        if not rows:
            return vectors, failures, 0
        texts = [values[row] for row in rows]
        batches = byte_batches(texts, max_pieces=self._settings.max_pieces)
        reasons = {}
        vectors[rows] = encode_batches(
            lambda batch: self._run(batch, reasons), texts, batches, self._settings.streams
        )
        for row, one in zip(rows, texts, strict=True):
            if one in reasons:
                failures[row] = failure_of(reasons[one], one)
        return vectors, failures, len(batches)

    def _run(self, batch, reasons):
        try:
            return self._signature(text=batch)[OUTPUT]
        except CAUSED_BY_TEXTS as error:
            texts = [one.decode() for one in batch.numpy()]
            if len(texts) == 1:
                reasons[texts[0]] = f"The model failed: {_reason(error)}"
                return tf.fill([1, self.dimensions], float("nan"))
        return tf.concat([self._run(tf.constant([one]), reasons) for one in texts], axis=0)


def _reason(error):
    """The line of TensorFlow's message that says what happened, without where in the graph."""
    lines = [line.strip() for line in error.message.splitlines()]
    lines = [line for line in lines if line and not line.startswith("[[")]
    told = re.sub(r" \[Op:.*\]$", "", lines[-1]) if lines else type(error).__name__
    return told[:500]
