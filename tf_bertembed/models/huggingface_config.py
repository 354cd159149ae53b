"""What a Hugging Face configuration says of a backbone, read and written."""

import warnings

from tf_bertembed.common import BertEmbedError, FileFormatError

# The first name of each of ours is the one that is written.
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}

# Backbone argument: the key in config.json.
_SIZES = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}

# What would give other numbers, and the only value that a BERT encoder has.
_FIXED = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}

# What the published form holds only one value of.
_PLAIN = {"input_fusion": None, "output_fusion": None, "norm_first": False, "num_tags": 0}


def share(path, config, key, default):
    """A share from 0 to below 1, such as a dropout."""
    value = config.get(key)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise FileFormatError(
            path, f"`{key}` must be a number of at least 0 and below 1. Received: {value!r}."
        )
    return value


def _dropout(path, config):
    hidden = share(path, config, "hidden_dropout_prob", 0.1)
    attention = share(path, config, "attention_probs_dropout_prob", 0.1)
    if hidden != attention:
        warnings.warn(
            f"{path}: The backbone has one dropout; it takes that of the hidden states. Pass "
            f"`dropout` to choose. Received: hidden_dropout_prob={hidden}, "
            f"attention_probs_dropout_prob={attention}.",
            stacklevel=5,
        )
    return hidden


def backbone_arguments(path, config, overrides=None):
    """The arguments of a backbone by Hugging Face's, or Google's, configuration.

    Args:
        path: string or `pathlib.Path`. The file that errors name.
        config: dict. What it holds.
        overrides: dict. Arguments that replace those of the file; `None` for none.

    Returns:
        A dict of arguments of `BertEmbedBackbone`.

    Raises:
        FileFormatError: where the file describes no BERT encoder.
    """
    overrides = overrides or {}
    for key, value in _FIXED.items():
        if config.get(key, value) != value:
            raise FileFormatError(path, f"`{key}` must be {value!r}. Received: {config[key]!r}.")
    sizes = {"type_vocab_size": 2, **config}
    missing = [key for key in _SIZES.values() if type(sizes.get(key)) is not int]
    if missing:
        raise FileFormatError(path, f"A BERT configuration needs whole numbers for {missing}.")
    activation = config.get("hidden_act", "gelu")
    if not isinstance(activation, str) or activation not in _ACTIVATIONS:
        raise FileFormatError(
            path, f"`hidden_act` must be one of {sorted(_ACTIVATIONS)}. Received: {activation!r}."
        )
    epsilon = config.get("layer_norm_eps", 1e-12)
    number = isinstance(epsilon, (int, float)) and not isinstance(epsilon, bool)
    if not number or not 0 <= epsilon < float("inf"):
        raise FileFormatError(
            path, f"`layer_norm_eps` must be a number of at least 0. Received: {epsilon!r:.200}."
        )
    arguments = {argument: sizes[key] for argument, key in _SIZES.items()}
    if "dropout" not in overrides:
        arguments["dropout"] = _dropout(path, config)
    return {
        **arguments,
        "activation": _ACTIVATIONS[activation],
        "layer_norm_epsilon": epsilon,
        **overrides,
    }


def huggingface_config(backbone, architecture):
    """What `config.json` says of a backbone.

    Args:
        backbone: a `BertEmbedBackbone`.
        architecture: string. The class that is to load it, such as
            `"BertModel"`.

    Returns:
        A dict.

    Raises:
        BertEmbedError: where the backbone has parts that BERT lacks.
    """
    values = {name: getattr(backbone, name) for name in _PLAIN}
    others = [f"{name}={value!r}" for name, value in values.items() if value != _PLAIN[name]]
    if backbone.embedding_dim != backbone.hidden_dim:
        others.append(f"embedding_dim={backbone.embedding_dim} (hidden_dim={backbone.hidden_dim})")
    if others:
        raise BertEmbedError(
            f"Hugging Face's BERT has no place for {', '.join(others)}. Export a SavedModel, or "
            "keep the model with `save_to_preset`."
        )
    activation = next(k for k, ours in _ACTIVATIONS.items() if ours == backbone.activation)
    return {
        "architectures": [architecture],
        "model_type": "bert",
        **{key: getattr(backbone, argument) for argument, key in _SIZES.items()},
        "hidden_act": activation,
        "layer_norm_eps": backbone.layer_norm_epsilon,
        "hidden_dropout_prob": backbone.dropout,
        "attention_probs_dropout_prob": backbone.dropout,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }
