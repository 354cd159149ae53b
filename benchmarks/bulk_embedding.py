"""How fast do 2,000 sentences become vectors, with the same weights, batches and precision?

From strings to normalised mean vectors, float32, batches of 32, all-MiniLM-L6-v2.

    python benchmarks/bulk_embedding.py [--rounds N] [--contenders NAME …] [--data FOLDER]
"""

import sys

import corpora
import minilm
from harness import Benchmark, Contender, Goal, options
from harness.session import exit_code

ST, ORT, STREAMS = "sentence-transformers", "ONNX Runtime", "ONNX Runtime, streams"
KERAS, OURS = "keras-nlp", "tf_bertembed"
PRODUCTS, PRODUCT_STREAMS = "matrix products", "matrix products, streams"

CONTENDERS = [
    Contender(ST, "contenders.sentence_transformers:embedder", "pytorch"),
    Contender(ORT, "contenders.onnx_runtime:embedder", "onnx"),
    Contender(STREAMS, "contenders.onnx_runtime:embedder", "onnx", {"streams": "cores"}),
    Contender(KERAS, "contenders.keras_nlp:embedder"),
    Contender(OURS, "contenders.bertembed:embedder"),
    Contender(PRODUCTS, "contenders.matrix_products:embedder"),
    Contender(
        PRODUCT_STREAMS, "contenders.matrix_products:embedder", settings={"streams": "cores"}
    ),
]
GOALS = [Goal(OURS, 1.5, ST), Goal(OURS, 1.0, ORT), Goal(OURS, 1.9, KERAS)]


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--texts", type=int, default=2000, help="number of sentences (2000)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=9, extend=extend)
    texts, source = corpora.sentences(arguments.data, arguments.texts)
    minilm.complete(arguments)
    result = Benchmark(
        "bulk_embedding",
        "Strings to normalised mean vectors: all-MiniLM-L6-v2, float32, batches of 32.",
        arguments,
        "workloads:all_texts",
        {"path": corpora.write(texts, arguments.output / "work" / "bulk_embedding.json")},
        base=ST,
        goals=GOALS,
        reference=ST,
        notes={f"{len(texts):,} sentences of": source},
    ).run()
    return exit_code(result)


if __name__ == "__main__":
    sys.exit(main())
