"""keras-nlp's own BERT and tokenizer, both in one TensorFlow function."""

import time

import numpy as np
import tensorflow as tf

PACKAGES = ["keras-nlp", "keras", "tensorflow", "tensorflow-text"]


def embedder(checkpoint, longest=256):
    import keras
    import keras_nlp

    backbone = keras_nlp.models.BertBackbone.from_preset(checkpoint)
    for layer in backbone.transformer_layers:
        # It always takes the tanh form, which is not the checkpoint's.
        layer._feedforward_intermediate_dense.activation = keras.activations.gelu
    tokenizer = keras_nlp.tokenizers.BertTokenizer(
        f"{checkpoint}/vocab.txt", lowercase=True, strip_accents=True
    )
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed(texts):
        pieces = tf.cast(tokenizer.tokenize(texts)[:, : longest - 2], "int32")
        edge = tf.ones([tf.shape(texts)[0], 1], "int32")
        ids = tf.concat([edge * start, pieces, edge * end], axis=1).to_tensor()
        mask = tf.sequence_mask(pieces.row_lengths() + 2)
        outputs = backbone(
            {"token_ids": ids, "padding_mask": mask, "segment_ids": tf.zeros_like(ids)},
            training=False,
        )
        weights = tf.cast(mask, "float32")[:, :, tf.newaxis]
        return tf.reduce_sum(outputs["sequence_output"] * weights, 1) / tf.reduce_sum(weights, 1)

    def encode(texts, batch_size=32):
        order = np.argsort([-len(text.encode()) for text in texts], kind="stable")
        vectors = np.empty((len(texts), backbone.hidden_dim), "float32")
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            vectors[rows] = embed(tf.constant([texts[row] for row in rows])).numpy()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return encode


def loader(checkpoint):
    """Timed after TensorFlow is imported."""

    def load():
        import keras_nlp

        imported = time.perf_counter()
        keras_nlp.models.BertBackbone.from_preset(checkpoint)
        keras_nlp.tokenizers.BertTokenizer(f"{checkpoint}/vocab.txt", lowercase=True)
        return imported

    return load
