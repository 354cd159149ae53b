"""How long does one sentence take, from its string to its vector?

One call for each sentence; a turn is a pass over all of them, its number the median of the calls.

    python benchmarks/single_sentence.py [--rounds N] [--contenders NAME …] [--data FOLDER]
"""

import sys

import corpora
import minilm
from harness import Benchmark, Goal, options
from harness.session import exit_code

CONTENDERS = [minilm.SENTENCE_TRANSFORMERS, minilm.ONNX_RUNTIME, minilm.KERAS_NLP, minilm.OURS]
GOALS = [
    Goal("tf_bertembed", 1.0, "ONNX Runtime"),
    Goal("tf_bertembed", 1.0, "ONNX Runtime", "p95"),
]


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--texts", type=int, default=200, help="number of sentences (200)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=9, extend=extend)
    texts, source = corpora.sentences(arguments.data, arguments.texts)
    minilm.complete(arguments)
    result = Benchmark(
        "single_sentence",
        "One sentence at a time, string to vector: all-MiniLM-L6-v2, float32.",
        arguments,
        "workloads:one_by_one",
        {"path": corpora.write(texts, arguments.output / "work" / "single_sentence.json")},
        base=minilm.ONNX_RUNTIME.name,
        goals=GOALS,
        reference=minilm.SENTENCE_TRANSFORMERS.name,
        notes={f"{len(texts):,} sentences of": source},
    ).run()
    return exit_code(result)


if __name__ == "__main__":
    sys.exit(main())
