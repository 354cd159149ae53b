"""The order of the texts in each epoch of a training."""

import keras
import tensorflow as tf


class EpochOrder(keras.callbacks.Callback):
    """Orders texts anew in each epoch, by a seed and the epoch's number alone.

    So a training that is taken up at a later epoch sees the texts in the order
    in which it would have seen them. The seed is drawn once, and depends on
    `keras.utils.set_random_seed`.
    """

    def __init__(self):
        super().__init__()
        drawn = tf.random.uniform([], maxval=tf.int32.max, dtype=tf.int32)
        self.seed = tf.Variable(drawn, trainable=False)
        self.epoch = tf.Variable(0, trainable=False)

    def set_model(self, model):
        super().set_model(model)
        # Where `training.KeepOnDisk` finds the seed.
        model._epoch_order = self

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch.assign(epoch)

    def joined(self, callbacks):
        """The callbacks of a `fit`, and this one."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(self)
            return callbacks
        callbacks = [] if callbacks is None else callbacks
        return [self, *(callbacks if isinstance(callbacks, (list, tuple)) else [callbacks])]

    def batches(self, data, count, batch_size):
        """Batches of `count` items, in the order of the epoch that begins when they are read.

        Args:
            data: nest of tensors, of which the first dimension is `count`.
            count: int.
            batch_size: int.

        Returns:
            A `tf.data.Dataset`.
        """

        def one_epoch(_):
            # By its own draws, so the order is that of no other random number.
            seed = tf.stack([self.seed, self.epoch])
            drawn = tf.random.stateless_uniform(
                [count], seed, maxval=None, minval=None, dtype="int64"
            )
            return tf.data.Dataset.from_tensor_slices(tf.argsort(drawn, stable=True))

        rows = tf.data.Dataset.from_tensors(0).flat_map(one_epoch).batch(batch_size)
        rows = rows.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))
        return rows.map(
            lambda rows: tf.nest.map_structure(lambda part: tf.gather(part, rows), data)
        )
