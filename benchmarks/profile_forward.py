"""Where does the time of one forward pass go, kernel by kernel?

all-MiniLM-L6-v2, one batch of sentences, float32, on the CPU; the median batch of some passes, the
times of TensorFlow's own profiler. `--source` profiles another checkout, for a before and after.

    python benchmarks/profile_forward.py [--source FOLDER] [--texts 32] [--length 26] [--passes 20]
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
GROUPS = {
    "matrix products": ("MatMul", "BatchMatMul"),
    "softmax": ("Softmax",),
    "copies": ("Transpose", "Gather", "Concat", "Pack", "StridedSlice"),
}


def profile(texts, length, passes):
    """Time each kind of kernel in this process: `{kind: milliseconds a pass}`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    from tf_bertembed import models

    backbone = models.load("all-minilm-l6-v2")
    ids = np.random.default_rng(0).integers(1000, 20000, (texts, length)).astype("int32")
    features = {
        "token_ids": tf.constant(ids),
        "segment_ids": tf.zeros_like(ids),
        "padding_mask": tf.ones(ids.shape, tf.bool),
    }
    run = tf.function(lambda batch: backbone(batch, training=False), jit_compile=False)
    run(features)
    run(features)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(passes):
            run(features)
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    spent = collections.Counter()
    for plane in space.planes:
        if plane.name != "/host:CPU":
            continue
        for line in plane.lines:
            for event in line.events:
                name, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                # A kernel is `node:Kind`; what is not belongs to the runtime.
                if name and "::" not in name and not name.endswith(":") and kind.isidentifier():
                    spent[kind] += event.duration_ps / 1e9 / passes
    return dict(spent)


def _profile_of(source, arguments):
    sizes = [str(getattr(arguments, name)) for name in ("texts", "length", "passes")]
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            "--here",
            *(f"--{n}={v}" for n, v in zip(("texts", "length", "passes"), sizes, strict=True)),
        ],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _group(kind):
    found = [group for group, parts in GROUPS.items() if any(part in kind for part in parts)]
    return found[0] if found else "element by element"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=REPOSITORY, help="a checkout (this one)")
    parser.add_argument("--texts", type=int, default=32)
    parser.add_argument("--length", type=int, default=26)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(profile(arguments.texts, arguments.length, arguments.passes)))
        return
    spent = collections.Counter(_profile_of(arguments.source.resolve(), arguments))
    grouped = collections.Counter()
    for kind, milliseconds in spent.items():
        grouped[_group(kind)] += milliseconds
    total = sum(spent.values())
    print("| kernels | ms a pass | share |\n| --- | ---: | ---: |")
    for name, milliseconds in [*grouped.most_common(), ("all", total)]:
        print(f"| {name} | {milliseconds:.2f} | {milliseconds / total:.1%} |")
    print("\n| kernel | ms a pass |\n| --- | ---: |")
    for kind, milliseconds in spent.most_common(12):
        print(f"| {kind} | {milliseconds:.2f} |")


if __name__ == "__main__":
    main()
