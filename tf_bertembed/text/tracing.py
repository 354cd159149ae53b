"""Ops called one by one in Python cost more than their work: repeated calls are traced."""

import tensorflow as tf

CALLS_BEFORE = 2


class TracedWhenRepeated:
    """Runs a function of string tensors [B] as it is, and from the third call on as a graph.

    Tracing takes as long as many calls do, so that the first ones go without. What the function
    depends on besides its tensors is told with each call, and a change starts anew.

    It is no `tf.Module`: the graph must not become part of a SavedModel that has its own.
    """

    def __init__(self, function):
        self._function = function
        self._state, self._calls, self._traced = (), 0, None

    def __call__(self, texts, state):
        """Apply the function to a list of tensors, given all else that it depends on."""
        if not tf.executing_eagerly():
            return self._function(texts)
        state = (len(texts), *state)
        if len(state) != len(self._state) or any(map(_differ, state, self._state)):
            self._state, self._calls = state, 0
            column = tf.TensorSpec([None], tf.string)
            self._traced = tf.function(
                lambda *texts: self._function(texts), input_signature=[column] * len(texts)
            )
        self._calls += 1
        return self._function(texts) if self._calls <= CALLS_BEFORE else self._traced(*texts)


def _differ(one, other):
    plain = isinstance(one, (int, str))
    return one != other if plain else one is not other
