"""Pearson's correlation over all batches of an epoch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tf_bertembed")
class PearsonMetric(keras.metrics.Metric):
    """Pearson's correlation of what is true with what is predicted.

    Sums are kept over batches, so that the result is that of all pairs
    together; `keras.metrics.PearsonCorrelation` is the mean of each batch's
    own. Where one side does not vary, the result is 0.

    Args:
        name: string. The name in the history.
        dtype: ignored; the sums are float64, since small differences are
            taken of them.

    Example:

    ```python
    from tf_bertembed import tasks

    metric = tasks.PearsonMetric()
    metric.update_state([1.0, 2.0], [10.0, 20.0])
    metric.update_state([3.0], [30.0])
    assert abs(float(metric.result()) - 1) < 1e-6
    ```
    """

    def __init__(self, name="pearson", dtype=None):
        super().__init__(name=name, dtype="float64")
        # Of the weight, x, y, xx, yy and xy.
        self.sums = self.add_weight(name="sums", shape=(6,), initializer="zeros", dtype="float64")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count the pairs of a batch.

        Args:
            y_true: float tensor `[B]`.
            y_pred: float tensor `[B]`.
            sample_weight: float tensor `[B]`, or `None`.
        """
        x, y = (ops.reshape(ops.cast(part, "float64"), [-1]) for part in (y_true, y_pred))
        weight = ops.ones_like(x)
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float64"), [-1])
        terms = (ops.ones_like(x), x, y, x * x, y * y, x * y)
        self.sums.assign_add(ops.stack([ops.sum(weight * term) for term in terms]))

    def result(self):
        """Give the correlation, a float32 scalar."""
        weight, *sums = (self.sums[place] for place in range(6))
        x, y, xx, yy, xy = (total / ops.maximum(weight, 1e-12) for total in sums)
        spread = (xx - x * x) * (yy - y * y)
        # Below this nothing is left of a spread but rounding.
        varies = spread > 1e-24 * xx * yy
        root = ops.sqrt(ops.where(varies, spread, 1.0))
        return ops.cast(ops.where(varies, (xy - x * y) / root, 0.0), "float32")
