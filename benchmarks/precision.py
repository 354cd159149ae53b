"""How much faster is a pretraining step in half precision, and with XLA?

`fit`'s own step of a `Pretrainer` (masked pieces, dropout 0.1, AdamW; loss scaling in float16) in
float32, mixed_bfloat16 and mixed_float16, on the device that TensorFlow finds: a GPU where there is
one. Half precision is meant for GPUs; a CPU computes much of it slower than float32.

    python benchmarks/precision.py [--rounds N] [--contenders NAME …] [--steps N]

The default sizes are BERT-base's, for a GPU. A CPU wants small ones, for example
`--num-layers 1 --hidden-dim 64 --batch-size 4 --sequence-length 32`.
"""

import subprocess
import sys

import corpora
from harness import Benchmark, Contender, Goal, options

BATCHES = 8
DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")
CONTENDERS = [
    Contender(
        dtype + (", XLA" if xla else ""),
        "contenders.keras_training:bertembed_trainer",
        settings={"dropout": 0.1, "dtype": dtype, "xla": xla},
    )
    for xla in (False, True)
    for dtype in DTYPES
]
GOALS = [Goal(f"{dtype}, XLA", None, "float32, XLA") for dtype in DTYPES[1:]]
# In a process of its own: the driver holds no memory of the GPU that it measures.
DEVICE = """
import tensorflow as tf
gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
print(", ".join(names) or "CPU")
"""


def device():
    """What TensorFlow computes on here."""
    command = [sys.executable, "-c", DEVICE]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--steps", type=int, default=20, help="steps in a turn (20)")
        parser.add_argument("--num-layers", type=int, default=12, help="layers (12)")
        parser.add_argument("--hidden-dim", type=int, default=768, help="width (768)")
        parser.add_argument("--batch-size", type=int, default=32, help="texts in a batch (32)")
        parser.add_argument("--sequence-length", type=int, default=128, help="pieces (128)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=7, extend=extend)
    width, length, rows = arguments.hidden_dim, arguments.sequence_length, arguments.batch_size
    sizes = {
        "vocabulary_size": 8000,
        "num_layers": arguments.num_layers,
        "num_heads": max(1, width // 64),
        "hidden_dim": width,
        "intermediate_dim": 4 * width,
        "max_sequence_length": length,
    }
    path = arguments.output / "work" / f"precision-{rows}x{length}.npz"
    corpora.write_pretraining(path, sizes, BATCHES, batch_size=rows)
    for contender in arguments.chosen:
        contender.settings.update(batches=str(path.resolve()), sizes=sizes)
    Benchmark(
        "precision",
        f"Seconds of a masked-LM step: layers {arguments.num_layers}, width {width}, vocabulary "
        f"8,000, {rows} x {length} pieces, dropout 0.1, AdamW.",
        arguments,
        "workloads:steps",
        {"number": arguments.steps},
        base="float32",
        goals=GOALS,
        notes={"on": device(), f"turns of {arguments.steps} steps on": "gensim's Wikipedia"},
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
