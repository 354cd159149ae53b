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
        # State, number of calls and graph by number of tensors: one object that is replaced
        # whole, since threads may call at the same time.
        self._made = (), {}, {}

    def __call__(self, texts, state):
        """Apply the function to a list of tensors, given all else that it depends on."""
        if not tf.executing_eagerly():
            return self._function(texts)
        known, calls, traced = self._made
        if len(state) != len(known) or any(map(_differ, state, known)):
            calls, traced = {}, {}
            self._made = state, calls, traced
        number = len(texts)
        calls[number] = calls.get(number, 0) + 1
        if calls[number] <= CALLS_BEFORE:
            return self._function(texts)
        if number not in traced:
            columns = [tf.TensorSpec([None], tf.string)] * number
            traced[number] = tf.function(
                lambda *texts: self._function(texts), input_signature=columns
            )
        return traced[number](*texts)


def _differ(one, other):
    plain = isinstance(one, (int, str))
    return one != other if plain else one is not other
