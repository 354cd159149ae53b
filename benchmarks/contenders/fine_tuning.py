"""A fine-tuning step of a classifier over a checkpoint: what `fit` runs for each batch."""

import json
from pathlib import Path

import tensorflow as tf

PACKAGES = ["keras", "tensorflow"]
BATCH, LONGEST = 32, 128


def trainer(checkpoint, path, way, rank=8):
    """A classifier; `way` is what `training.set_trainable` takes, or the targets of LoRA."""
    import keras

    from tf_bertembed import models, tasks, text, training

    keras.utils.set_random_seed(0)
    backbone = models.load(checkpoint)
    preprocessor = text.Preprocessor(models.load_tokenizer(checkpoint), sequence_length=LONGEST)
    if isinstance(way, list):
        models.add_lora(backbone, rank, targets=way)
    task = tasks.TextClassifier(backbone, 2)
    if not isinstance(way, list):
        training.set_trainable(task, way)
    task.compile(training.create_optimizer(5e-5, steps=10_000))
    print(f"{way}: {training.count_trainable(task)} of {task.count_params()} weights are trained")

    texts = json.loads(Path(path).read_text())
    batches = [
        (preprocessor(texts[start : start + BATCH]), [0, 1] * (BATCH // 2))
        for start in range(0, len(texts) - BATCH + 1, BATCH)
    ]
    datasets = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    dataset = datasets[0]
    for other in datasets[1:]:
        dataset = dataset.concatenate(other)
    dataset = dataset.cache().repeat().prefetch(2)
    task.fit(dataset, steps_per_epoch=1, verbose=0)
    feed = iter(dataset)

    def step(number):
        for _ in range(number):
            logs = task.train_function(feed)
        return float(logs["loss"])

    return step
