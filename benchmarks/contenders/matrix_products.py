"""The matrix products of an encoder's forward pass and nothing else, in TensorFlow."""

import concurrent.futures
import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
import tokenizers

PACKAGES = ["tensorflow", "tokenizers"]


def threads():
    return {
        "intra-op": tf.config.threading.get_intra_op_parallelism_threads() or "as it comes",
        "inter-op": tf.config.threading.get_inter_op_parallelism_threads() or "as it comes",
    }


def embedder(checkpoint, longest=256, streams=None):
    """Over the same batches; in streams, with one intra-op thread for each."""
    config = json.loads((Path(checkpoint) / "config.json").read_text())
    width, inner = config["hidden_size"], config["intermediate_size"]
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]
    if streams == "cores":
        streams = len(os.sched_getaffinity(0))
    if streams:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(streams)
    tokenizer = tokenizers.Tokenizer.from_file(f"{checkpoint}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    shapes = {"qkv": (width, 3 * width), "output": (width, width)}
    shapes |= {"up": (width, inner), "down": (inner, width)}
    # Orthogonal enough for numbers to stay of one size through all layers.
    draw = np.random.default_rng(0).normal
    weights = [
        {
            name: tf.Variable(draw(0, s[0] ** -0.5, s).astype("float32"))
            for name, s in shapes.items()
        }
        for _ in range(layers)
    ]

    @tf.function(input_signature=[tf.TensorSpec([None, None, width])])
    def forward(hidden):
        batch, length = tf.shape(hidden)[0], tf.shape(hidden)[1]
        flat = tf.reshape(hidden, [batch * length, width])
        for layer in weights:
            joined = tf.reshape(flat @ layer["qkv"], [batch, heads, length, 3 * (width // heads)])
            query, key, value = tf.split(joined, 3, axis=3)
            mixed = tf.matmul(query, key, transpose_b=True) @ value
            flat = tf.reshape(mixed, [batch * length, width]) @ layer["output"]
            flat = (flat @ layer["up"]) @ layer["down"]
        return tf.reduce_sum(tf.reshape(flat, [batch, length, width]), axis=1)

    pool = concurrent.futures.ThreadPoolExecutor(streams or 1)
    prepared = {}

    def encode(texts, batch_size=32):
        key = (len(texts), batch_size)
        if key not in prepared:  # in the warm-up
            lengths = sorted((len(e.ids) for e in tokenizer.encode_batch(texts)), reverse=True)
            starts = range(0, len(lengths), batch_size)
            prepared[key] = [
                tf.fill([len(lengths[i : i + batch_size]), lengths[i], width], 1e-3) for i in starts
            ]
        list(pool.map(lambda batch: forward(batch).numpy(), prepared[key]))

    return encode
