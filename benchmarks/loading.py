"""How long does loading the 90 MB of all-MiniLM-L6-v2 take, once the framework is imported?

Each turn is a new process, timed after `import tensorflow` (`torch`, `onnxruntime`): the package's
own imports, then the encoder's weights and its tokenizer.

    python benchmarks/loading.py [--rounds N] [--contenders NAME …]
"""

import sys

import minilm
from harness import Benchmark, Contender, options

LIMIT = 3.0  # seconds
CONTENDERS = [
    Contender(
        "sentence-transformers", "contenders.sentence_transformers:loader", "pytorch", fresh=True
    ),
    Contender("ONNX Runtime", "contenders.onnx_runtime:loader", "onnx", fresh=True),
    Contender("keras-nlp", "contenders.keras_nlp:loader", fresh=True),
    Contender("tf_bertembed", "contenders.bertembed:loader", fresh=True),
]


def main():
    """Run it; 1 where tf_bertembed's median is over the limit."""
    arguments = options.parse(__doc__, CONTENDERS, rounds=5)
    minilm.complete(arguments)
    result = Benchmark(
        "loading",
        f"Seconds to load all-MiniLM-L6-v2 in a new process (tf_bertembed: at most {LIMIT:g}).",
        arguments,
        "workloads:once",
        {},
        base="sentence-transformers",
        notes={"encoder and tokenizer,": "the framework imported before, files in memory"},
    ).run()
    ours = result["contenders"].get("tf_bertembed")
    return int(ours is not None and ours["seconds"]["median"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
