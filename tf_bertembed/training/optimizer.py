"""AdamW as BERT is trained with it."""

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks import AdamW
from tf_bertembed.training.layer_rates import layer_rates
from tf_bertembed.training.schedule import LinearWarmup


def create_optimizer(
    learning_rate,
    steps,
    warmup_share=0.1,
    weight_decay=0.01,
    clip_norm=1.0,
    layer_decay=1.0,
    head_factor=1.0,
    task=None,
):
    """Make BERT's optimizer.

    AdamW under a `LinearWarmup`. Biases and normalisation are not decayed.
    With a `task`, lower layers can learn slower, and the head faster: the
    topmost transformer layer at `layer_decay` times the head's rate of
    `head_factor=1`, each below it at `layer_decay` times that, the embeddings
    and word vectors last. The decay is scaled alike.

    Args:
        learning_rate: float. The highest learning rate.
        steps: int. The steps of the whole training.
        warmup_share: float. The share of the steps that the rise takes.
        weight_decay: float. AdamW's decay.
        clip_norm: float. The largest norm of a step's gradients together.
        layer_decay: float. From one layer to the next below, above 0 and at
            most 1; 0.65 to 0.95 are usual.
        head_factor: float. What the rate of the head, the pooler and the
            layers of fusion is multiplied by.
        task: a task, whose layers the factors are for.

    Returns:
        A `tasks.AdamW`.

    Raises:
        BertEmbedError: where a number is out of its range, or there are
            factors without a task.

    Example:

    ```python
    from tf_bertembed import training

    optimizer = training.create_optimizer(1e-3, steps=100)
    assert float(optimizer.learning_rate) == 0.0  # before the first step
    ```

    References:
        Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101; rates by
        layer: Howard and Ruder, 2018, https://arxiv.org/abs/1801.06146, and,
        with one factor, Clark et al., 2020, https://arxiv.org/abs/2003.10555
    """
    factors = None
    if task is not None:
        factors = layer_rates(task, layer_decay, head_factor)
    elif (layer_decay, head_factor) != (1.0, 1.0):
        raise BertEmbedError(
            "Rates by layer need the layers: pass `task`. Received: "
            f"layer_decay={layer_decay}, head_factor={head_factor}, task=None."
        )
    schedule = LinearWarmup(learning_rate, steps, warmup_steps=int(steps * warmup_share))
    optimizer = AdamW(
        schedule, weight_decay=weight_decay, global_clipnorm=clip_norm, rate_factors=factors
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
