"""tf_bertembed, as a user calls it."""

import time

import tensorflow as tf

from tf_bertembed import models, text

PACKAGES = ["tensorflow", "tensorflow-text", "keras"]


def threads():
    return {
        "intra-op": tf.config.threading.get_intra_op_parallelism_threads() or "as it comes",
        "inter-op": tf.config.threading.get_inter_op_parallelism_threads() or "as it comes",
    }


def embedder(checkpoint, longest=None, max_pieces=None, streams=None, batch_size=32):
    encoder = models.load_encoder(checkpoint, normalize=True, sequence_length=longest)
    shares = []

    def encode(texts):
        encode.texts = texts
        return encoder.encode(texts, batch_size, max_pieces, streams)

    def padding():
        if not shares:  # the same for the same texts
            pieces = encoder.preprocessor.tokenizer.tokenize(encode.texts).row_lengths().numpy()
            lengths = (pieces + 2).clip(max=encoder.preprocessor.sequence_length)
            batches = encoder.batches(encode.texts, batch_size, max_pieces, streams or 2)
            computed = sum(len(rows) * lengths[rows].max() for rows in batches)
            shares.append(1 - float(lengths.sum() / computed))
        return shares[0]

    encode.padding = padding
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
