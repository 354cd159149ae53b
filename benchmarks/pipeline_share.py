"""What share of a training step is preprocessing: does `fit` ever wait for it?

A text classifier (4 layers, 256 wide) on real sentences in batches of 32: seconds a batch of the
input pipeline alone, from strings to features, and of `fit` with it, in turns.

    python benchmarks/pipeline_share.py [--data FOLDER] [--texts 640] [--rounds 5]
"""

import argparse
import os
import statistics
import time
from pathlib import Path

import corpora

BATCH = 32


def measure(texts, rounds):
    """Medians of the rounds: seconds a batch of the pipeline, and of `fit`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf

    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(texts, 8000, min_frequency=1))
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 4, 4, 256, 1024)
    classifier = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 128))
    labels = np.arange(len(texts)) % 2
    strings = tf.data.Dataset.from_tensor_slices((texts, labels)).batch(BATCH)
    pipeline = strings.map(classifier.preprocess_samples, num_parallel_calls=2).prefetch(2)
    batches = -(-len(texts) // BATCH)

    def fit():
        classifier.fit(strings, verbose=0)

    def iterate():
        for _ in pipeline:
            pass

    taken = {fit: [], iterate: []}
    for turn in range(rounds + 1):
        for run, seconds in taken.items():
            begin = time.perf_counter()
            run()
            # The first turn traces.
            if turn:
                seconds.append((time.perf_counter() - begin) / batches)
    return statistics.median(taken[iterate]), statistics.median(taken[fit])


def main():
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("TF_BERTEMBED_DATA"))
    parser.add_argument("--texts", type=int, default=640, help="number of sentences")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts, source = corpora.sentences(arguments.data, arguments.texts)
    pipeline, step = measure(texts, arguments.rounds)
    print(f"{len(texts)} sentences of {source}, batches of {BATCH}, {arguments.rounds} rounds")
    print(f"pipeline alone {pipeline * 1e3:.2f} ms a batch, fit {step * 1e3:.1f} ms a batch")
    print(f"share {pipeline / step:.1%}")


if __name__ == "__main__":
    main()
