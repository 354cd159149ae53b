"""AdamW as BERT is trained with it."""

from tf_bertembed.tasks import AdamW
from tf_bertembed.training.schedule import LinearWarmup


def create_optimizer(learning_rate, steps, warmup_share=0.1, weight_decay=0.01, clip_norm=1.0):
    """Make BERT's optimizer.

    AdamW under a `LinearWarmup`. Biases and normalisation are not decayed.

    Args:
        learning_rate: float. The highest learning rate.
        steps: int. The steps of the whole training.
        warmup_share: float. The share of the steps that the rise takes.
        weight_decay: float. AdamW's decay.
        clip_norm: float. The largest norm of a step's gradients together.

    Returns:
        A `tasks.AdamW`.

    Raises:
        BertEmbedError: where a number is out of its range.

    Example:

    ```python
    from tf_bertembed import training

    optimizer = training.create_optimizer(1e-3, steps=100)
    assert float(optimizer.learning_rate) == 0.0  # before the first step
    ```

    References:
        Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101
    """
    schedule = LinearWarmup(learning_rate, steps, warmup_steps=int(steps * warmup_share))
    optimizer = AdamW(schedule, weight_decay=weight_decay, global_clipnorm=clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
