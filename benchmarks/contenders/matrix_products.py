"""The matrix products of an encoder's forward pass and nothing else, in TensorFlow."""

import concurrent.futures
import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
import tokenizers

from tf_bertembed.models.text_encoder import MAX_PIECES
from tf_bertembed.text import piece_batches

PACKAGES = ["tensorflow", "tokenizers"]


def threads():
    return {
        "intra-op": tf.config.threading.get_intra_op_parallelism_threads() or "as it comes",
        "inter-op": tf.config.threading.get_inter_op_parallelism_threads() or "as it comes",
    }


def embedder(checkpoint, longest=256, streams=None):
    """Over tf_bertembed's batches, two at a time; in streams, each on a thread of its own."""
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
    # Of a deviation that keeps numbers of one size through all layers.
    draw = np.random.default_rng(0).normal
    weights = [
        {
            name: tf.Variable(draw(0, s[0] ** -0.5, s).astype("float32"))
            for name, s in shapes.items()
        }
        for _ in range(layers)
    ]

    @tf.function(input_signature=[tf.TensorSpec([None, None, width]), tf.TensorSpec([None] * 4)])
    def forward(hidden, shares):
        batch, length = tf.shape(hidden)[0], tf.shape(hidden)[1]
        flat, kept = tf.reshape(hidden, [batch * length, width]), []
        for layer in weights:
            joined = tf.reshape(flat @ layer["qkv"], [batch, heads, length, 3 * (width // heads)])
            query, key, value = tf.split(joined, 3, axis=3)
            # Fed on, scores without their softmax would grow or vanish; so one of each is kept.
            kept.append(tf.matmul(query, key, transpose_b=True)[:, 0, 0, 0])
            mixed = tf.reshape(shares @ value, [batch * length, width])
            flat = ((mixed @ layer["output"]) @ layer["up"]) @ layer["down"]
        return flat[0, 0] + tf.reduce_sum(kept)

    pool = concurrent.futures.ThreadPoolExecutor(streams or 2)
    prepared = {}

    def inputs(count, length):
        return tf.ones([count, length, width]), tf.fill([count, heads, length, length], 1 / length)

    def encode(texts, batch_size=32):
        key = (len(texts), batch_size)
        if key not in prepared:  # in the warm-up
            lengths = np.array([len(encoding.ids) for encoding in tokenizer.encode_batch(texts)])
            prepared[key] = [
                inputs(len(rows), int(lengths[rows].max()))
                for rows in piece_batches(lengths, batch_size, MAX_PIECES)
            ]
        list(pool.map(lambda batch: forward(*batch).numpy(), prepared[key]))

    return encode
