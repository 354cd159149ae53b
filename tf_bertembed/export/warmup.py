"""Requests that a server runs before it says that a model is there."""

import itertools

import numpy as np
import tensorflow as tf

from tf_bertembed.export.prediction_log import classify_log, predict_log
from tf_bertembed.export.signature_checks import CLASSIFY_METHOD
from tf_bertembed.export.warmup_replay import WARMUP
from tf_bertembed.text import BertEmbedTokenizer

BATCH_SIZES = (1, 8, 32)
LENGTHS = (16, 64)
# A server that starts should not compute for minutes: what is larger is left out.
MOST_PIECES = 2048
SPECIAL_PIECES = 3


def write_warmup(folder, served, columns):
    """Write requests of each signature, for a few sizes of batches and lengths of texts.

    Args:
        folder: `pathlib.Path`. The folder of the SavedModel.
        served: a `ServedTask`.
        columns: dict. Per input of the task a list of strings, example texts.

    Returns:
        A dict that says what was written: `records`, `batch_sizes` and
        `lengths` (in pieces).
    """
    preprocessor = served.task.preprocessor
    longest = getattr(preprocessor, "sequence_length", max(LENGTHS))
    lengths = sorted({min(length, longest) for length in (*LENGTHS, longest)})
    texts = _Texts(columns, getattr(preprocessor, "tokenizer", None))
    sizes = [
        (batch, length)
        for length, batch in itertools.product(lengths, BATCH_SIZES)
        if batch == 1 or batch * length <= MOST_PIECES
    ]
    path = folder / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in served.signatures.items():
            log = classify_log if signature.method == CLASSIFY_METHOD else predict_log
            for batch, length in sizes:
                writer.write(log(name, signature.requests(texts.of(batch, length))))
    return {
        "records": len(served.signatures) * len(sizes),
        "batch_sizes": sorted({batch for batch, _ in sizes}),
        "lengths": lengths,
    }


class _Texts:
    """Texts of about so many pieces, out of the words of examples."""

    def __init__(self, columns, tokenizer):
        words = " ".join(itertools.chain(*columns.values())).split()
        self._words = words or ["word"]
        self._names = list(columns)
        counts = np.ones(len(self._words), "int64")
        if isinstance(tokenizer, BertEmbedTokenizer):
            counts = np.maximum(tokenizer.tokenize(self._words).row_lengths().numpy(), 1)
        self._counts = counts

    def of(self, batch, length):
        """Columns of `batch` rows that have `length` pieces together, special ones included."""
        room = max(1, (length - SPECIAL_PIECES) // len(self._names))
        column = [self._text(row, room) for row in range(batch)]
        return dict.fromkeys(self._names, column)

    def _text(self, row, room):
        # Each row begins with another word, so that no two are alike.
        places = (np.arange(room) + row) % len(self._words)
        fits = np.cumsum(self._counts[places]) <= room
        fits[0] = True
        return " ".join(self._words[place] for place in places[fits])
