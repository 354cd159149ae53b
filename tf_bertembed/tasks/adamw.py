"""AdamW with one kernel a variable."""

import collections

import keras
import numpy as np
import tensorflow as tf


def _plain(variable):
    """The TensorFlow variable itself, or `None` for what is spread over devices."""
    value = variable if isinstance(variable, tf.Variable) else variable.value
    spread = isinstance(value, tf.distribute.DistributedValues)
    return None if spread or not hasattr(value, "handle") else value


def _rows_once(gradient):
    """A gradient whose slices, if it has any, hold each row once."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)


@keras.saving.register_keras_serializable("tf_bertembed")
class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, each variable updated by one TensorFlow kernel.

    It takes the same arguments and gives the same numbers, in one pass over
    the weights instead of many. Where a batch reads a row of a table more than
    once, its gradients are summed before they are squared, also for the norm
    that they are clipped by, as for any other weight; Keras 3.15 squares each.
    Where the kernel cannot be used (`amsgrad`, variables spread over devices),
    Keras's own update runs.

    Each variable counts the steps that moved it. One that was frozen at first
    starts as in a new optimizer; by the steps of the whole training, as Keras
    counts, its first updates would be up to six times as large.

    Args:
        *args: passed to `keras.optimizers.AdamW`.
        rate_factors: dict from string to float. Learning rate and decay of a
            variable are multiplied by the factor of the longest key that
            begins its path, such as `"transformer_layer_0"` or
            `"pooler/kernel"`; by 1 where there is none.
        **kwargs: passed to `keras.optimizers.AdamW`.

    Example:

    ```python
    from tf_bertembed import models, tasks

    pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
    pretrainer.compile(tasks.AdamW(1e-4, weight_decay=0.01))
    ```

    References:
        Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101
    """

    def __init__(self, *args, rate_factors=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.rate_factors = dict(rate_factors or {})

    def build(self, variables):
        """Make the optimizer's variables; Keras calls this."""
        if self.built:
            return
        super().build(variables)
        self._factors = [self._factor(variable) for variable in variables]
        self._own_steps = self.add_variable(
            shape=(len(variables),),
            dtype="int64",
            aggregation="only_first_replica",
            name="own_steps",
        )

    def _factor(self, variable):
        parts = getattr(variable, "path", variable.name).split("/")
        starts = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
        return next((self.rate_factors[s] for s in starts if s in self.rate_factors), 1.0)

    def _apply_weight_decay(self, variables):
        if self.weight_decay is None or not self.rate_factors:
            super()._apply_weight_decay(variables)
            return
        groups = collections.defaultdict(list)
        for variable in variables:
            groups[self._factors[self._get_variable_index(variable)]].append(variable)
        decay = self.weight_decay
        try:
            for factor, group in groups.items():
                # Keras multiplies it by the learning rate of all.
                self.weight_decay = decay * factor
                super()._apply_weight_decay(group)
        finally:
            self.weight_decay = decay

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        # Once for all variables, since each op of a step takes time to trace.
        steps = tf.cast(self._own_steps + 1, tf.float32)
        self._powers = [
            tf.unstack(tf.pow(tf.constant(beta, tf.float32), steps))
            for beta in (self.beta_1, self.beta_2)
        ]
        super()._backend_update_step(grads, trainable_variables, learning_rate)
        self._powers = None
        moved = np.zeros(len(self._factors), "int64")
        moved[[self._get_variable_index(variable) for variable in trainable_variables]] = 1
        self._own_steps.assign_add(moved)

    def _clip_gradients(self, grads):
        # Keras would count a row that is read twice as two weights.
        return super()._clip_gradients([_rows_once(gradient) for gradient in grads])

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; Keras calls this."""
        index = self._get_variable_index(variable)
        if self._factors[index] != 1:
            learning_rate = learning_rate * self._factors[index]
        slots = (variable, self._momentums[index], self._velocities[index])
        places = [_plain(slot) for slot in slots]
        if self.amsgrad or any(place is None for place in places):
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = places[0].dtype
        beta_1_power, beta_2_power = (tf.cast(powers[index], dtype) for powers in self._powers)
        tf.raw_ops.ResourceApplyAdam(
            var=places[0].handle,
            m=places[1].handle,
            v=places[2].handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=tf.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            # Slices of a table, with every row once; rows not read still move.
            grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
        )

    def load_own_variables(self, store):
        """Take up a saved state, also of a version that did not count steps by variable."""
        count = len(store.keys())
        if self.built and count == len(self.variables) - 1:
            store = {str(index): store[str(index)] for index in range(count)}
            store[str(count)] = np.full(self._own_steps.shape, np.asarray(store["0"]))
        super().load_own_variables(store)

    def get_config(self):
        return {**super().get_config(), "rate_factors": self.rate_factors}
