"""The layers of a backbone, all of one precision and one normalisation."""

import keras

from tf_bertembed.layers import PositionEmbedding, TransformerLayer
from tf_bertembed.layers.initializers import bert_initializer


def encoder_inputs(static, tags):
    """The inputs of a functional backbone, by the names of its features."""

    def feature(name, dtype="int32"):
        return keras.Input(shape=(None,), dtype=dtype, name=name)

    inputs = {
        "token_ids": feature("token_ids"),
        "segment_ids": feature("segment_ids"),
        "padding_mask": feature("padding_mask", "bool"),
    }
    if static:
        inputs["static_ids"] = feature("static_ids")
    if tags:
        inputs["tag_ids"] = feature("tag_ids")
    return inputs


class LayerMaker:
    """Makes Keras layers that start as BERT's do.

    Args:
        dtype: string or `keras.DTypePolicy`, or `None` for Keras's own.
        layer_norm_epsilon: float. Added to the variance in normalisation.
    """

    def __init__(self, dtype, layer_norm_epsilon):
        self.dtype = dtype
        self.layer_norm_epsilon = layer_norm_epsilon

    def table(self, rows, width, name):
        """A table of embeddings."""
        return keras.layers.Embedding(
            rows, width, embeddings_initializer=bert_initializer(), dtype=self.dtype, name=name
        )

    def tied_table(self, rows, width, name):
        """A table of embeddings that can also be read from vectors back to rows."""
        return keras.layers.ReversibleEmbedding(
            rows, width, embeddings_initializer=bert_initializer(), dtype=self.dtype, name=name
        )

    def dense(self, width, name, activation=None):
        """A dense layer."""
        return keras.layers.Dense(
            width,
            activation=activation,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype,
            name=name,
        )

    def norm(self, name):
        """A layer normalisation."""
        return keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype, name=name
        )

    def positions(self, rows, width, kind, name):
        """A table of positions, learned or computed."""
        return PositionEmbedding(rows, width, kind=kind, dtype=self.dtype, name=name)

    def transformer(self, num_heads, intermediate_dim, dropout, activation, norm_first, name):
        """A block of the encoder."""
        return TransformerLayer(
            num_heads,
            intermediate_dim,
            dropout=dropout,
            activation=activation,
            norm_first=norm_first,
            layer_norm_epsilon=self.layer_norm_epsilon,
            dtype=self.dtype,
            name=name,
        )
