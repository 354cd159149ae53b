"""A backbone that answers with its inner states too."""

import keras


class EncoderView(keras.Model):
    """Runs a backbone's own layers and keeps what they make on the way.

    A functional model cannot hold one layer that answers with a tensor in one
    place and with a pair in another, so this one calls the layers itself.
    """

    def __init__(self, backbone, hidden_states, attentions):
        super().__init__(dtype=backbone.dtype_policy)
        self.backbone = backbone
        self.hidden_states = hidden_states
        self.attentions = attentions

    def call(self, inputs):
        return self.backbone._encode(inputs, self.hidden_states, self.attentions)
