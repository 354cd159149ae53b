"""How long does one sentence take, from its string to its vector?

One call for each sentence; a turn is a pass over all of them, its number the median of the calls.

    python benchmarks/single_sentence.py [--rounds N] [--contenders NAME …] [--data FOLDER]
"""

import sys

import minilm
from harness import Goal

CONTENDERS = [minilm.SENTENCE_TRANSFORMERS, minilm.ONNX_RUNTIME, minilm.KERAS_NLP, minilm.OURS]
GOALS = [
    Goal("tf_bertembed", 1.0, "ONNX Runtime"),
    Goal("tf_bertembed", 1.0, "ONNX Runtime", "p95"),
]


def main():
    """Run it."""
    return minilm.compare_on_sentences(
        "single_sentence",
        "One sentence at a time, string to vector: all-MiniLM-L6-v2, float32.",
        "workloads:one_by_one",
        CONTENDERS,
        GOALS,
        base=minilm.ONNX_RUNTIME,
        count=200,
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
