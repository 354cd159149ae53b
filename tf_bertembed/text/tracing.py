"""Ops called one by one in Python cost more than their work: repeated calls are traced."""

import tensorflow as tf
from tensorflow.python.eager import context

CALLS_BEFORE = 2


class TracedWhenRepeated:
    """Runs a function of string tensors [B] as it is, and from the third call on as a graph.

    Tracing takes as long as many calls do, so that the first ones go without. What the function
    depends on besides its tensors is told with each call, and a change starts anew.

    It is no `tf.Module`: the graph must not become part of a SavedModel that has its own.
    """

    def __init__(self, function):
        self._function = function
        self._state, self._calls, self._traced = (), {}, {}

    def __call__(self, texts, state):
        """Apply the function to a list of tensors, given all else that it depends on."""
        if not tf.executing_eagerly():
            return self._function(texts)
        if len(state) != len(self._state) or any(map(_differ, state, self._state)):
            self._state, self._calls, self._traced = state, {}, {}
        number = len(texts)
        self._calls[number] = self._calls.get(number, 0) + 1
        if self._calls[number] <= CALLS_BEFORE:
            return self._function(texts)
        if number not in self._traced:
            columns = [tf.TensorSpec([None], tf.string)] * number
            self._traced[number] = tf.function(
                lambda *texts: self._function(texts), input_signature=columns
            )
        # The ops follow one another and are small: handing them to other threads costs more.
        with context.function_executor_type("SINGLE_THREADED_EXECUTOR"):
            return self._traced[number](*texts)


def _differ(one, other):
    plain = isinstance(one, (int, str))
    return one != other if plain else one is not other
