"""The share of words with the right tag."""

import keras
from keras import ops

NO_TAG = -1


@keras.saving.register_keras_serializable("tf_bertembed")
class TagAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """The accuracy over places that have a tag; those of -1 do not count."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        counts = ops.cast(ops.not_equal(y_true, NO_TAG), "float32")
        if sample_weight is not None:
            counts = counts * ops.cast(sample_weight, "float32")
        super().update_state(y_true, y_pred, counts)
