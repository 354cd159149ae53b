"""A masked-LM step of Keras models: what `fit` runs for each batch."""

import numpy as np
import tensorflow as tf

PACKAGES = ["keras-nlp", "keras", "tensorflow"]


def keras_nlp_trainer(batches, sizes, dropout):
    """keras-nlp's BERT and its task, compiled as its own `compile` does but for AdamW."""
    import keras
    import keras_nlp

    keras.utils.set_random_seed(0)
    backbone = keras_nlp.models.BertBackbone(**sizes, dropout=dropout)
    task = keras_nlp.models.BertMaskedLM(backbone, preprocessor=None)
    task.compile(
        optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
    return _stepper(task, _read(batches, lambda value: value))


def bertembed_trainer(batches, sizes, dropout, dtype="float32", xla=False):
    """tf_bertembed's backbone and `Pretrainer`, compiled as they come."""
    import keras

    from tf_bertembed import models, tasks

    for gpu in tf.config.list_physical_devices("GPU"):
        # Contenders wait side by side: none may take all of its memory.
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(0)
    backbone = models.BertEmbedBackbone(**sizes, dropout=dropout, dtype=dtype)
    task = tasks.Pretrainer(backbone, next_sentence=False)
    task.compile(jit_compile=xla)
    return _stepper(task, _read(batches, lambda value: {"masked_lm": value}))


def _read(path, answer):
    arrays = np.load(path, allow_pickle=False)
    features = ("token_ids", "segment_ids", "padding_mask", "mask_positions")
    parts = (
        {name: arrays[name] for name in features},
        answer(arrays["mask_ids"]),
        answer(arrays["mask_weights"]),
    )
    return tf.data.Dataset.from_tensor_slices(parts).cache().repeat()


def _stepper(task, dataset):
    dataset = dataset.prefetch(2)
    task.fit(dataset, steps_per_epoch=1, verbose=0)
    feed = iter(dataset)

    def step(number):
        for _ in range(number):
            logs = task.train_function(feed)
        return float(logs["loss"])

    return step
