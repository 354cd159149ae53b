"""How fast do 2,000 sentences become vectors, with the same weights, batches and precision?

From strings to normalised mean vectors, float32, batches of 32 unless said, all-MiniLM-L6-v2.

    python benchmarks/bulk_embedding.py [--rounds N] [--contenders NAME …] [--data FOLDER]
"""

import dataclasses
import sys

import minilm
from harness import Contender, Goal


def _with_batches(contender, name, batch_size):
    settings = {**contender.settings, "batch_size": batch_size}
    return dataclasses.replace(contender, name=f"{contender.name}, {name}", settings=settings)


PRODUCTS = "contenders.matrix_products:embedder"
CONTENDERS = [
    minilm.SENTENCE_TRANSFORMERS,
    minilm.ONNX_RUNTIME,
    minilm.ONNX_STREAMS,
    minilm.KERAS_NLP,
    minilm.OURS,
    minilm.OUR_COMMAND,
    # What batches of other sizes would change: ours by default, and ONNX Runtime's likewise.
    _with_batches(minilm.ONNX_STREAMS, "batches of 192", 192),
    _with_batches(minilm.OURS, "own batches", None),
    _with_batches(minilm.OUR_COMMAND, "own batches", None),
    Contender("matrix products", PRODUCTS),
    Contender("matrix products, streams", PRODUCTS, settings={"streams": "cores"}),
]
GOALS = [
    Goal("tf_bertembed", 1.5, "sentence-transformers"),
    Goal("tf_bertembed", 1.0, "ONNX Runtime"),
    Goal("tf_bertembed", 1.9, "keras-nlp"),
    Goal("tf_bertembed, command line", 1.6, "sentence-transformers"),
    Goal("tf_bertembed, command line", 1.0, "ONNX Runtime, streams"),
    Goal("tf_bertembed, own batches", 1.5, "sentence-transformers"),
    Goal("tf_bertembed, own batches", 1.0, "ONNX Runtime"),
    Goal("tf_bertembed, command line, own batches", 1.0, "ONNX Runtime, streams"),
    Goal("tf_bertembed", None, "matrix products"),
    Goal("tf_bertembed, command line", None, "matrix products, streams"),
]


def main():
    """Run it."""
    return minilm.compare_on_sentences(
        "bulk_embedding",
        "Strings to normalised mean vectors: all-MiniLM-L6-v2, float32, batches of 32.",
        "workloads:all_texts",
        CONTENDERS,
        GOALS,
        base=minilm.SENTENCE_TRANSFORMERS,
        count=2000,
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
