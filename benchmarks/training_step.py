"""How long does a pretraining step take, and how much memory, with dropout and without?

Masked pieces only, AdamW, the same real batches for all: 4 layers, 256 wide, 4 heads, a vocabulary
of 8,000, 32 texts of 128 pieces, 20 of them masked. For Keras models it is `fit`'s own step.

    python benchmarks/training_step.py [--rounds N] [--contenders NAME …] [--steps N]
"""

import sys

import corpora
from harness import Benchmark, Contender, Goal, options

SIZES = {
    "vocabulary_size": 8000,
    "num_layers": 4,
    "num_heads": 4,
    "hidden_dim": 256,
    "intermediate_dim": 1024,
    "max_sequence_length": 128,
}
BATCHES = 8
PLACES = {
    "Hugging Face": ("contenders.huggingface_training:trainer", "pytorch"),
    "keras-nlp": ("contenders.keras_training:keras_nlp_trainer", "project"),
    "tf_bertembed": ("contenders.keras_training:bertembed_trainer", "project"),
}
CONTENDERS = [
    Contender(f"{name}, dropout {dropout:g}", load, environment, {"dropout": dropout})
    for dropout in (0.1, 0.0)
    for name, (load, environment) in PLACES.items()
]
GOALS = [
    Goal("tf_bertembed, dropout 0.1", 1.7, "Hugging Face, dropout 0.1"),
    Goal("tf_bertembed, dropout 0.1", 1.1, "keras-nlp, dropout 0.1"),
    Goal("tf_bertembed, dropout 0", 2.0, "Hugging Face, dropout 0"),
    Goal("tf_bertembed, dropout 0.1", 1.0, "Hugging Face, dropout 0.1", "peak_mb"),
    Goal("tf_bertembed, dropout 0.1", 1.0, "keras-nlp, dropout 0.1", "peak_mb"),
    Goal("tf_bertembed, dropout 0", 1.0, "Hugging Face, dropout 0", "peak_mb"),
    Goal("tf_bertembed, dropout 0", 1.0, "keras-nlp, dropout 0", "peak_mb"),
]


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--steps", type=int, default=8, help="steps in a turn (8)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=7, extend=extend)
    path = arguments.output / "work" / "training_step.npz"
    corpora.write_pretraining(path, SIZES, BATCHES, batch_size=32)
    for contender in arguments.chosen:
        contender.settings.update(batches=str(path.resolve()), sizes=SIZES)
    Benchmark(
        "training_step",
        "Seconds of a masked-LM step: 4 layers, 256 wide, vocabulary 8,000, 32 x 128, AdamW.",
        arguments,
        "workloads:steps",
        {"number": arguments.steps},
        base="Hugging Face, dropout 0.1",
        goals=GOALS,
        notes={f"turns of {arguments.steps} steps on": "gensim's Wikipedia, float32"},
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
