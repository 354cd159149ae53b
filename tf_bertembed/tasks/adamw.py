"""AdamW with one kernel a variable."""

import keras
import tensorflow as tf


def _plain(variable):
    """The TensorFlow variable itself, or `None` for what is spread over devices."""
    value = variable if isinstance(variable, tf.Variable) else variable.value
    spread = isinstance(value, tf.distribute.DistributedValues)
    return None if spread or not hasattr(value, "handle") else value


@keras.saving.register_keras_serializable("tf_bertembed")
class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, each variable updated by one TensorFlow kernel.

    It takes the same arguments and gives the same numbers, in one pass over
    the weights instead of many. Where a batch reads a row of a table more than
    once, its gradients are summed before they are squared, as for any other
    weight; Keras 3.15 squares each. Where the kernel cannot be used
    (`amsgrad`, variables spread over devices), Keras's own update runs.

    Example:

    ```python
    from tf_bertembed import models, tasks

    pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
    pretrainer.compile(tasks.AdamW(1e-4, weight_decay=0.01))
    ```

    References:
        Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; Keras calls this."""
        index = self._get_variable_index(variable)
        slots = (variable, self._momentums[index], self._velocities[index])
        places = [_plain(slot) for slot in slots]
        if self.amsgrad or any(place is None for place in places):
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = places[0].dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=places[0].handle,
            m=places[1].handle,
            v=places[2].handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, dtype),
            # Slices of a table, with every row once; rows not read still move.
            grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
        )
