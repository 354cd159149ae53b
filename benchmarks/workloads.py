"""What a contender does in one turn, whatever it is made of.

Each function takes what the contender loaded and the workload's inputs; it gives a function that
runs once and answers its measures and its result. Runs in the contender's environment. A turn
begins with a little untimed work, since the process was stopped and others had the caches.
"""

import json
import statistics
import time
import zlib
from pathlib import Path

WAKING = 16  # texts


def all_texts(encode, path):
    """All texts in one call."""
    texts = json.loads(Path(path).read_text())

    def run():
        encode(texts[:WAKING])
        start = time.perf_counter()
        vectors = encode(texts)
        seconds = time.perf_counter() - start
        measures = {"seconds": seconds, "rate": len(texts) / seconds}
        if hasattr(encode, "padding"):
            measures["padding"] = encode.padding()
        return measures, vectors

    return run


def one_by_one(encode, path):
    """One call for each text: median and 95th percentile of the calls."""
    import numpy as np

    texts = json.loads(Path(path).read_text())

    def run():
        for text in texts[:WAKING]:
            encode([text])
        latencies, vectors = [], []
        for text in texts:
            start = time.perf_counter()
            vectors.append(encode([text])[0])
            latencies.append(time.perf_counter() - start)
        p95 = statistics.quantiles(latencies, n=20)[-1]
        return {"seconds": statistics.median(latencies), "p95": p95}, np.stack(vectors)

    return run


def steps(step, number):
    """Seconds of one training step, over a number of them."""

    def run():
        step(1)
        start = time.perf_counter()
        loss = step(number)
        seconds = (time.perf_counter() - start) / number
        return {"seconds": seconds, "loss": float(loss)}, None

    return run


def once(load):
    """What can only be timed once in a process; `load` answers when its imports were done."""

    def run():
        start = time.perf_counter()
        imported = load()
        end = time.perf_counter()
        return {"seconds": end - start, "load": end - imported}, None

    return run


def read_vectors(load):
    """Word vectors once, with a mark of the words and numbers that is taken after the time."""

    def run():
        start = time.perf_counter()
        found = load()
        seconds = time.perf_counter() - start
        mark = zlib.crc32("\n".join(found.index_to_key).encode())
        for row in found.vectors:
            mark = zlib.crc32(row, mark)
        return {"seconds": seconds, "mark": mark}, None

    return run
