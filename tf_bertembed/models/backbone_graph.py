"""A graph through a backbone, which `add_lora` and `merge_lora` may change."""

import tensorflow as tf


class BackboneGraph:
    """Runs a function that calls a backbone as one graph.

    It is traced when it is first called, and anew after `add_lora` or
    `merge_lora`: a graph goes on with the matrices that it was traced with.

    It is no `tf.Module`, so that Keras does not take it for a part of a model
    that keeps it.

    Args:
        backbone: a `BertEmbedBackbone`.
        function: function of tensors.
        input_signature: list of `tf.TensorSpec`, or of dicts of such.
    """

    def __init__(self, backbone, function, input_signature):
        self._backbone = backbone
        self._function = function
        self._signature = input_signature
        # One object that is replaced whole, since threads may call at the same time.
        self._made = None, None

    def __call__(self, *inputs):
        """Run the function on tensors as the signature has them."""
        return self.traced()(*inputs)

    def traced(self):
        """The `tf.function` for the backbone as it is now."""
        made_at, traced = self._made
        now = self._backbone.times_adapted
        if made_at != now:
            traced = tf.function(self._function, input_signature=self._signature, jit_compile=False)
            self._made = now, traced
        return traced
