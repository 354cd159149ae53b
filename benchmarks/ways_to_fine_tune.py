"""How much faster is a step that trains less: the head, the last layers, or matrices of low rank?

all-MiniLM-L6-v2 with a classifier of two classes, batches of 32 real sentences, each cut to its
longest, dropout 0.1, AdamW, float32; `fit`'s own step, its forward pass included. How many weights
each trains stands in the logs.

    python benchmarks/ways_to_fine_tune.py [--rounds N] [--contenders NAME …] [--data DIR]
"""

import sys

import corpora
import minilm
from harness import Benchmark, Contender, Goal, options

WAYS = {
    "everything": "all",
    "the last 3 layers": 3,
    "the last layer": 1,
    "the head": "head",
    "LoRA, queries and values": ["query", "value"],
    "LoRA, every product": [
        *("query", "key", "value"),
        *("attention_output", "intermediate", "output"),
    ],
}
CONTENDERS = [
    Contender(name, "contenders.fine_tuning:trainer", settings={"way": way})
    for name, way in WAYS.items()
]
# What training less should at least save.
GOALS = [
    Goal("the last 3 layers", 1.3, "everything"),
    Goal("the head", 2.0, "everything"),
    Goal("LoRA, queries and values", 1.1, "everything"),
]


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--steps", type=int, default=4, help="steps in a turn (4)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=7, extend=extend)
    texts, source = corpora.sentences(arguments.data, 128)
    path = corpora.write(texts, arguments.output / "work" / "ways_to_fine_tune.json")
    minilm.complete(arguments, path=path)
    Benchmark(
        "ways_to_fine_tune",
        "Seconds of a fine-tuning step: all-MiniLM-L6-v2, two classes, 32 sentences.",
        arguments,
        "workloads:steps",
        {"number": arguments.steps},
        base="everything",
        goals=GOALS,
        notes={f"turns of {arguments.steps} steps on": source},
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
