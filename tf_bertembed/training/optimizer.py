"""AdamW as BERT is trained with it."""

import keras

from tf_bertembed.common import BertEmbedError


def create_optimizer(learning_rate, steps, warmup_share=0.1, weight_decay=0.01, clip_norm=1.0):
    """Make BERT's optimizer from Keras's own parts.

    AdamW whose learning rate rises linearly from zero and falls along a
    cosine to zero. Biases and normalisation are not decayed.

    Args:
        learning_rate: float. The highest learning rate.
        steps: int. The steps of the whole training.
        warmup_share: float. The share of the steps that the rise takes.
        weight_decay: float. AdamW's decay.
        clip_norm: float. The largest norm of a step's gradients together.

    Returns:
        A `keras.optimizers.AdamW`.

    Raises:
        BertEmbedError: where `steps` or `learning_rate` is not positive.

    Example:

    ```python
    from tf_bertembed import training

    optimizer = training.create_optimizer(1e-3, steps=100)
    rates = [float(optimizer.learning_rate)]
    assert rates == [0.0]
    ```

    References:
        Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101;
        Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983
    """
    if steps < 1 or learning_rate <= 0:
        raise BertEmbedError(
            "`steps` and `learning_rate` must be positive. Received: "
            f"steps={steps}, learning_rate={learning_rate}."
        )
    warmup = round(steps * warmup_share)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        max(steps - warmup, 1),
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=weight_decay, global_clipnorm=clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
