"""BERT's learning rate: a straight rise, then a straight fall."""

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError


@keras.saving.register_keras_serializable("tf_bertembed")
class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 over the warm-up, then falls linearly to 0.

    Keras has no such schedule; its cosine with a warm-up also puts a branch
    into the graph for every variable, which doubles the time to trace a step.

    Args:
        peak: float. The learning rate at the end of the warm-up.
        steps: int. The steps of the whole training.
        warmup_steps: int. The steps of the rise.

    Raises:
        BertEmbedError: where `peak` or `steps` is not positive, or the
            warm-up is longer than the training.

    Example:

    ```python
    from tf_bertembed import training

    schedule = training.LinearWarmup(1.0, steps=10, warmup_steps=2)
    assert [float(schedule(step)) for step in (0, 1, 2, 6, 10)] == [0, 0.5, 1, 0.5, 0]
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805, appendix A.2
    """

    def __init__(self, peak, steps, warmup_steps=0):
        super().__init__()
        if steps < 1 or peak <= 0 or not 0 <= warmup_steps < steps:
            raise BertEmbedError(
                "`peak` and `steps` must be positive, `warmup_steps` from 0 to less than `steps`. "
                f"Received: peak={peak}, steps={steps}, warmup_steps={warmup_steps}."
            )
        self.peak = peak
        self.steps = steps
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rise = step / self.warmup_steps if self.warmup_steps else 1.0
        fall = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.peak * ops.maximum(ops.minimum(rise, fall), 0.0)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warmup_steps": self.warmup_steps}
