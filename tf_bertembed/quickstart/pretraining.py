"""Pretrains the same small BERT twice: from random and from word vectors."""

import dataclasses

import keras

from tf_bertembed import models, tasks, text, training

LEARNING_RATE = 3e-3
DEV_BATCHES = 8


@dataclasses.dataclass
class Starts:
    """Both curves, and the backbone that began with word vectors."""

    steps: list
    curves: dict
    warm: models.BertEmbedBackbone


def compare_starts(documents, held_out, tokenizer, matrix, settings, seed):
    """Pretrain cold and warm on the same batches.

    Args:
        documents: list of lists of strings, to train on.
        held_out: list of lists of strings, for the dev loss.
        tokenizer: a `BertEmbedTokenizer`.
        matrix: array `[V, S]`. Word vectors aligned to the pieces.
        settings: a `Settings`.
        seed: int.

    Returns:
        A `Starts`; each curve holds the dev loss of masked pieces (nats) at
        each of `steps`.
    """

    def examples(part, fresh):
        return text.PretrainingExamples(
            part,
            tokenizer,
            sequence_length=settings.pretraining_length,
            batch_size=settings.batch_size,
            seed=seed,
            fresh_masks=fresh,
        )

    train, dev = examples(documents, fresh=True), examples(held_out, fresh=False)
    # Batches from all over the held-out articles, not from the first of them.
    every = max(1, dev.steps_per_epoch // DEV_BATCHES)
    dev_batches = dev.epoch(0).shard(every, 0).take(DEV_BATCHES).cache()
    curves, warm = {}, None
    for start in ("cold", "warm"):
        keras.utils.set_random_seed(seed)
        backbone = models.BertEmbedBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=settings.num_layers,
            num_heads=4,
            hidden_dim=settings.hidden_dim,
            intermediate_dim=4 * settings.hidden_dim,
            max_sequence_length=settings.pretraining_length,
        )
        if start == "warm":
            models.warm_start(backbone, matrix, seed=seed)
            warm = backbone
        pretrainer = tasks.Pretrainer(backbone)
        pretrainer.start_from_frequencies(train.piece_counts())
        pretrainer.compile(training.create_optimizer(LEARNING_RATE, settings.pretraining_steps))
        history = pretrainer.fit(
            train.dataset(),
            epochs=settings.pretraining_steps // settings.evaluate_every,
            steps_per_epoch=settings.evaluate_every,
            validation_data=dev_batches,
            callbacks=[training.ProgressBar(f"Pretraining, {start} start")],
            verbose=0,
        ).history
        curves[start] = history["val_masked_lm_crossentropy"]
    steps = [settings.evaluate_every * epoch for epoch in range(1, len(curves["cold"]) + 1)]
    return Starts(steps, curves, warm)
