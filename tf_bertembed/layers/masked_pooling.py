"""One vector for a sequence from the vectors of its pieces."""

import keras
from keras import ops

from tf_bertembed.layers.input_fusion import check_mode


@keras.saving.register_keras_serializable("tf_bertembed")
class MaskedPooling(keras.layers.Layer):
    """Pools a sequence over the pieces that a mask lets through.

    A sequence without any such piece pools to zeros.

    Args:
        mode: string. `"mean"`, `"max"`, or `"cls"` (the first piece).
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        BertEmbedError: where `mode` is none of these.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    x = np.array([[[1.0], [3.0], [100.0]]], "float32")
    mask = np.array([[True, True, False]])
    assert float(layers.MaskedPooling("mean")(x, mask)[0, 0]) == 2.0
    assert float(layers.MaskedPooling("max")(x, mask)[0, 0]) == 3.0
    ```
    """

    MODES = ("mean", "max", "cls")

    def __init__(self, mode="mean", **kwargs):
        super().__init__(**kwargs)
        check_mode("pooling", mode, self.MODES)
        self.mode = mode

    def call(self, x, mask):
        if self.mode == "cls":
            return x[:, 0, :]
        chosen = ops.cast(ops.expand_dims(mask, -1), "float32")
        x = ops.cast(x, "float32")
        if self.mode == "mean":
            pooled = ops.sum(x * chosen, axis=1) / ops.maximum(ops.sum(chosen, axis=1), 1.0)
        else:
            masked = ops.where(ops.expand_dims(mask, -1), x, float("-inf"))
            any_chosen = ops.any(mask, axis=1, keepdims=True)
            pooled = ops.where(any_chosen, ops.max(masked, axis=1), 0.0)
        return ops.cast(pooled, self.compute_dtype)

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], x_shape[-1])

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
