"""What do texts of 8 to 512 pieces cost, shuffled: padding, speed and memory?

From strings to normalised mean vectors, float32, all-MiniLM-L6-v2, up to 512 pieces a text.

    python benchmarks/mixed_lengths.py [--rounds N] [--contenders NAME …]
"""

import sys

import corpora
import minilm
from harness import Benchmark, Goal, options
from harness.session import exit_code

LONGEST = 512
CONTENDERS = [minilm.SENTENCE_TRANSFORMERS, minilm.ONNX_RUNTIME, minilm.KERAS_NLP, minilm.OURS]
GOALS = [
    Goal("tf_bertembed", 1.0, "sentence-transformers"),
    Goal("tf_bertembed", 1.0, "ONNX Runtime"),
    Goal("tf_bertembed", 1.0, "sentence-transformers", "work_mb"),
    Goal("tf_bertembed", 1.0, "ONNX Runtime", "work_mb"),
]


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--texts", type=int, default=160, help="number of texts (160)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=5, extend=extend)
    minilm.complete(arguments, longest=LONGEST)
    texts = corpora.mixed_lengths(
        minilm.checkpoint() / "tokenizer.json", arguments.texts, 8, LONGEST
    )
    result = Benchmark(
        "mixed_lengths",
        "Texts of 8 to 512 pieces, shuffled, strings to vectors: all-MiniLM-L6-v2, float32.",
        arguments,
        "workloads:all_texts",
        {"path": corpora.write(texts, arguments.output / "work" / "mixed_lengths.json")},
        base=minilm.SENTENCE_TRANSFORMERS.name,
        goals=GOALS,
        reference=minilm.SENTENCE_TRANSFORMERS.name,
        notes={f"{len(texts):,} texts, lengths evenly spread, cut from": "gensim's Wikipedia"},
    ).run()
    return exit_code(result)


if __name__ == "__main__":
    sys.exit(main())
