"""Fine-tunes classifiers with the concatenation head."""

import keras
import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from tf_bertembed import models, tasks, text, training


def fine_tune(backbone, table, tokenizer, train, held_out, settings, seed, epochs, rate):
    """Join a backbone with word vectors and train it by `model.fit`.

    Args:
        backbone: a `BertEmbedBackbone` without fusion.
        table: pair of words and matrix, from `vectors.static_table`.
        tokenizer: the backbone's `BertEmbedTokenizer`.
        train: pair of texts and labels.
        held_out: pair of texts and labels, for the metrics.
        settings: a `Settings`.
        seed: int.
        epochs: int. Passes over the texts.
        rate: float. The highest learning rate.

    Returns:
        The `TextClassifier`, its history (dict) and its metrics (dict).
    """
    keras.utils.set_random_seed(seed)
    words, matrix = table
    preprocessor = text.Preprocessor(
        tokenizer, sequence_length=settings.article_length, static_words=words
    )
    texts, labels = train
    classifier = tasks.TextClassifier(
        models.with_fusion(backbone, matrix, output_fusion="concat"),
        sorted(set(labels)),
        preprocessor,
        pooling="mean",
    )
    steps = epochs * -(-len(texts) // settings.batch_size)
    classifier.compile(training.create_optimizer(rate, steps))
    history = classifier.fit(
        texts,
        labels,
        batch_size=settings.batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[training.ProgressBar("Fine-tuning")],
    ).history
    logits = classifier.predict(held_out[0], batch_size=settings.batch_size, verbose=0)
    predicted = [classifier.labels[index] for index in np.argmax(logits, axis=-1)]
    metrics = {
        "accuracy": float(accuracy_score(held_out[1], predicted)),
        "macro_f1": float(f1_score(held_out[1], predicted, average="macro")),
    }
    return classifier, history, metrics
