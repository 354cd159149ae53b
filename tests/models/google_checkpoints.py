"""Checkpoints under the variable names of Google's TensorFlow 1 code, with random weights."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

WIDTH, INNER, LAYERS, PIECES, PLACES = 8, 16, 2, 20, 12
CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": WIDTH,
    "initializer_range": 0.02,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "num_attention_heads": 2,
    "num_hidden_layers": LAYERS,
    "type_vocab_size": 2,
    "vocab_size": PIECES,
}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmn", "##s"]


def google_shapes():
    """The variables of `run_pretraining.py`, in its own sizes.

    Names and shapes are those that `tf.train.list_variables` lists of Google's published
    chinese_L-12_H-768_A-12, with fewer and narrower layers.
    """
    shapes = {
        "bert/embeddings/LayerNorm/beta": [WIDTH],
        "bert/embeddings/LayerNorm/gamma": [WIDTH],
        "bert/embeddings/position_embeddings": [PLACES, WIDTH],
        "bert/embeddings/token_type_embeddings": [2, WIDTH],
        "bert/embeddings/word_embeddings": [PIECES, WIDTH],
        "bert/pooler/dense/bias": [WIDTH],
        "bert/pooler/dense/kernel": [WIDTH, WIDTH],
        "cls/predictions/output_bias": [PIECES],
        "cls/predictions/transform/LayerNorm/beta": [WIDTH],
        "cls/predictions/transform/LayerNorm/gamma": [WIDTH],
        "cls/predictions/transform/dense/bias": [WIDTH],
        "cls/predictions/transform/dense/kernel": [WIDTH, WIDTH],
        "cls/seq_relationship/output_bias": [2],
        "cls/seq_relationship/output_weights": [2, WIDTH],
    }
    for index in range(LAYERS):
        layer = f"bert/encoder/layer_{index}"
        for part in ("query", "key", "value"):
            shapes[f"{layer}/attention/self/{part}/bias"] = [WIDTH]
            shapes[f"{layer}/attention/self/{part}/kernel"] = [WIDTH, WIDTH]
        for part, inputs in (("attention/output", WIDTH), ("output", INNER)):
            shapes[f"{layer}/{part}/LayerNorm/beta"] = [WIDTH]
            shapes[f"{layer}/{part}/LayerNorm/gamma"] = [WIDTH]
            shapes[f"{layer}/{part}/dense/bias"] = [WIDTH]
            shapes[f"{layer}/{part}/dense/kernel"] = [inputs, WIDTH]
        shapes[f"{layer}/intermediate/dense/bias"] = [INNER]
        shapes[f"{layer}/intermediate/dense/kernel"] = [WIDTH, INNER]
    return shapes


def google_variables():
    """Random values, with the moments and the step that a training run leaves beside them."""
    random = np.random.default_rng(0)
    values = {n: random.normal(size=s).astype("float32") for n, s in google_shapes().items()}
    moments = {
        f"{name}/{moment}": np.zeros_like(value)
        for name, value in values.items()
        for moment in ("adam_m", "adam_v")
    }
    return {**values, **moments, "global_step": np.array(1000000, "int64")}


def write_google(
    folder, variables=None, config=None, vocabulary=VOCABULARY, name="bert_model.ckpt"
):
    """Write a folder as Google's archives hold it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bert_config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in VOCABULARY))
    variables = google_variables() if variables is None else variables
    tf.raw_ops.SaveV2(
        prefix=str(folder / name),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=list(variables.values()),
    )
    return folder


def published_tensors(variables):
    """The same weights as Hugging Face's `BertModel` holds them, written out part by part."""
    tensors = {
        "embeddings.word_embeddings.weight": variables["bert/embeddings/word_embeddings"],
        "embeddings.position_embeddings.weight": variables["bert/embeddings/position_embeddings"],
        "embeddings.token_type_embeddings.weight": variables[
            "bert/embeddings/token_type_embeddings"
        ],
    }

    def norm(published, google):
        tensors[f"{published}.weight"] = variables[f"{google}/gamma"]
        tensors[f"{published}.bias"] = variables[f"{google}/beta"]

    def dense(published, google):
        tensors[f"{published}.weight"] = np.ascontiguousarray(variables[f"{google}/kernel"].T)
        tensors[f"{published}.bias"] = variables[f"{google}/bias"]

    norm("embeddings.LayerNorm", "bert/embeddings/LayerNorm")
    dense("pooler.dense", "bert/pooler/dense")
    for index in range(LAYERS):
        ours, google = f"encoder.layer.{index}", f"bert/encoder/layer_{index}"
        for part in ("query", "key", "value"):
            dense(f"{ours}.attention.self.{part}", f"{google}/attention/self/{part}")
        dense(f"{ours}.attention.output.dense", f"{google}/attention/output/dense")
        norm(f"{ours}.attention.output.LayerNorm", f"{google}/attention/output/LayerNorm")
        dense(f"{ours}.intermediate.dense", f"{google}/intermediate/dense")
        dense(f"{ours}.output.dense", f"{google}/output/dense")
        norm(f"{ours}.output.LayerNorm", f"{google}/output/LayerNorm")
    return tensors
