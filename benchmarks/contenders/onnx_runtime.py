"""ONNX Runtime, float32, with the package tokenizers."""

import concurrent.futures
import os
import queue
import time

import numpy as np
import onnxruntime
import tokenizers

PACKAGES = ["onnxruntime", "tokenizers", "numpy"]
_threads = {}


def threads():
    return _threads


def embedder(checkpoint, model, longest=256, streams=None, batch_size=32):
    """As it comes, or in a number of streams of one thread each."""
    tokenizer = tokenizers.Tokenizer.from_file(f"{checkpoint}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    options = onnxruntime.SessionOptions()
    if streams == "cores":
        streams = len(os.sched_getaffinity(0))
    if streams:
        options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    _threads.update({"streams": streams, "each": 1} if streams else {"sessions": 1})
    pool = concurrent.futures.ThreadPoolExecutor(streams) if streams else None

    def forward(encodings):
        length = max(len(encoding.ids) for encoding in encodings)
        ids = np.zeros((len(encodings), length), "int64")
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return session.run(None, inputs)[0]

    def encode(texts):
        encodings = tokenizer.encode_batch(texts)
        order = np.argsort([-len(encoding.ids) for encoding in encodings], kind="stable")
        batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
        pieces = sum(len(encoding.ids) for encoding in encodings)
        computed = sum(len(rows) * len(encodings[rows[0]].ids) for rows in batches)
        encode.padding = lambda: 1 - pieces / computed
        work, done = queue.SimpleQueue(), []
        for rows in batches:
            work.put(rows)

        def take():
            while True:
                try:
                    rows = work.get_nowait()
                except queue.Empty:
                    return
                done.append((rows, forward([encodings[row] for row in rows])))

        if pool is None:
            take()
        else:
            for stream in [pool.submit(take) for _ in range(streams)]:
                stream.result()
        vectors = np.empty((len(texts), done[0][1].shape[1]), "float32")
        for rows, batch in done:
            vectors[rows] = batch
        return vectors

    return encode


def loader(checkpoint, model):
    """Timed after ONNX Runtime is imported."""

    def load():
        imported = time.perf_counter()
        tokenizers.Tokenizer.from_file(f"{checkpoint}/tokenizer.json")
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return imported

    return load
