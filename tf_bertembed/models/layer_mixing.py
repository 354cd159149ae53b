"""The mean of what several layers of a backbone make of their input."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError


def mixed_states(backbone, layers, weights=None):
    """Make a function from features to the weighted mean of layers' states.

    Args:
        backbone: a `BertEmbedBackbone`.
        layers: int or list of ints. 0 for the embeddings, i for layer i, -1
            for the last one.
        weights: list of floats, one for each of `layers`; `None` for equal
            ones.

    Returns:
        A function from a dict of features to a tensor `[B, T, hidden_dim]`,
        float32, before any output fusion.

    Raises:
        BertEmbedError: where layers or weights do not fit the backbone.
    """
    shares = layer_shares(layers, weights, backbone.num_layers)
    view = backbone.with_outputs(hidden_states=True)

    def states(features):
        found = view(features, training=False)["hidden_states"]
        return tf.add_n([share * tf.cast(found[i], tf.float32) for i, share in shares.items()])

    return states


def layer_shares(layers, weights, count):
    """The share of each layer in the mean, by its place from 0 to `count`."""
    layers = [layers] if np.ndim(layers) == 0 else list(layers)
    weights = [1.0] * len(layers) if weights is None else [float(w) for w in weights]
    whole = all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in layers)
    if not layers or not whole or not all(-count - 1 <= i <= count for i in layers):
        raise BertEmbedError(
            f"`layers` must be ints from {-count - 1} to {count} for {count} layers and the "
            f"embeddings. Received: {layers}."
        )
    places = [int(i) % (count + 1) for i in layers]
    if len(set(places)) < len(places):
        raise BertEmbedError(f"`layers` names a layer twice. Received: {layers}.")
    if len(weights) != len(layers) or not 0 < abs(sum(weights)) < np.inf:
        raise BertEmbedError(
            "`layer_weights` must be a number for each of `layers`, with a sum that is not 0. "
            f"Received: {weights} for {layers}."
        )
    return {place: weight / sum(weights) for place, weight in zip(places, weights, strict=True)}
