"""The loss of pairs that must find one another in their batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tf_bertembed")
class RankingLoss(keras.losses.Loss):
    """Cross-entropy of scores of which row i's right one stands in column i.

    Multiple-negatives ranking: each first text of a batch must score highest
    with its own second text, all other second texts being its negatives; with
    `symmetric`, each second text with its own first one too, half and half.

    Args:
        symmetric: bool. Whether columns must find their rows too.
        name: string. The loss's name.
        **kwargs: passed to `keras.losses.Loss` (`reduction`, `dtype`).

    Example:

    ```python
    import math
    from tf_bertembed import tasks

    loss = tasks.RankingLoss()([0, 1], [[5.0, 5.0], [0.0, 100.0]])
    assert abs(float(loss) - math.log(2) / 2) < 1e-6
    ```

    References:
        Henderson et al., 2017, https://arxiv.org/abs/1705.00652
    """

    def __init__(self, symmetric=False, name="ranking_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.symmetric = symmetric

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, "int32")

        def entropies(scores):
            return ops.sparse_categorical_crossentropy(y_true, scores, from_logits=True)

        if self.symmetric:
            return (entropies(y_pred) + entropies(ops.transpose(y_pred))) / 2
        return entropies(y_pred)

    def get_config(self):
        return {**super().get_config(), "symmetric": self.symmetric}
