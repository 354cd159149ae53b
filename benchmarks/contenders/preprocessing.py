"""Strings to padded arrays of ids, segments and masks: `tokenizers`, and `text.Preprocessor`.

Each answers a function that takes the columns of texts and the batch size once, and gives one that
runs over all batches and answers a list of tuples of arrays.
"""

import json
import time
from pathlib import Path

PACKAGES = ["tokenizers", "tensorflow", "tensorflow-text", "numpy"]
LONGEST = 128
PASSES = 4  # over the texts, in a turn; a pipeline of `tf.data` starts once


def _batches(columns, batch_size):
    for begin in range(0, len(columns[0]), batch_size):
        yield tuple(column[begin : begin + batch_size] for column in columns)


def tokenizers(vocabulary):
    """The Rust tokenizer with its own threads."""
    import numpy as np
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()

    def features(batch):
        inputs = batch[0] if len(batch) == 1 else list(zip(*batch, strict=True))
        encodings = tokenizer.encode_batch(inputs)
        return (
            np.array([encoding.ids for encoding in encodings], np.int32),
            np.array([encoding.type_ids for encoding in encodings], np.int32),
            np.array([encoding.attention_mask for encoding in encodings], bool),
        )

    def prepare(columns, batch_size):
        batches = list(_batches(columns, batch_size))
        return lambda: [features(batch) for batch in batches * PASSES]

    return prepare


def preprocessor(vocabulary, way, words=False):
    """`text.Preprocessor`: called on lists, or in a `tf.data` pipeline as `fit` has it."""
    import tensorflow as tf

    from tf_bertembed import text, vectors
    from tf_bertembed.text.batches import without_autotuning

    static = vectors.load("glove-6b-50d").index_to_key if words else None
    made = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), LONGEST, static_words=static)
    names = ["token_ids", "segment_ids", "padding_mask"] + ["static_ids"] * words

    def features(batch):
        values = made(batch if len(batch) > 1 else batch[0], y=None)
        return tuple(values[name] for name in names)

    def on_lists(columns, batch_size):
        batches = list(_batches(columns, batch_size))
        return lambda: [tuple(v.numpy() for v in features(batch)) for batch in batches * PASSES]

    def in_a_dataset(columns, batch_size):
        # Strings become tensors and the pipeline is traced once, whatever the number of epochs.
        dataset = tf.data.Dataset.from_tensor_slices(tuple(columns))
        dataset = without_autotuning(dataset.batch(batch_size)).repeat(PASSES)
        dataset = dataset.map(lambda *batch: features(batch), num_parallel_calls=tf.data.AUTOTUNE)
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        return lambda: list(dataset.as_numpy_iterator())

    return {"lists": on_lists, "tf.data": in_a_dataset}[way]


def workload(prepare, path, batch_size):
    """All batches of single texts, then all batches of pairs."""
    import numpy as np

    texts = json.loads(Path(path).read_text())
    half = len(texts) // 2
    kinds = {"single": [texts[:half]], "pairs": [texts[:half], texts[half:]]}
    prepared = {kind: prepare(columns, batch_size) for kind, columns in kinds.items()}

    def padded(features):
        room = LONGEST - features[0].shape[1]
        return np.concatenate([np.pad(values, [(0, 0), (0, room)]) for values in features[:3]], 1)

    def run():
        measures, rows = {}, []
        for kind, all_batches in prepared.items():
            start = time.perf_counter()
            made = all_batches()
            measures[f"{kind}_seconds"] = time.perf_counter() - start
            rows += map(padded, made)
        return {"seconds": sum(measures.values()), **measures}, np.concatenate(rows)

    return run
