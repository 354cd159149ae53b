"""Weights of a Hugging Face BERT folder, in the backbone's own form."""

from pathlib import Path

from tf_bertembed.common import (
    FileFormatError,
    MissingFileError,
    read_json,
    require_file,
)
from tf_bertembed.models.arguments import check_overrides
from tf_bertembed.models.backbone import BertEmbedBackbone
from tf_bertembed.models.tensors import assign_backbone
from tf_bertembed.models.tensors_file import SafetensorsSource

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
}


def backbone_arguments(path, config):
    """The backbone's arguments by a configuration with Hugging Face's, or Google's, keys."""
    if config.get("model_type", "bert") != "bert":
        raise FileFormatError(
            path, f"`model_type` must be 'bert'. Received: {config['model_type']!r}."
        )
    positions = config.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise FileFormatError(
            path, f"`position_embedding_type` must be 'absolute'. Received: {positions!r}."
        )
    sizes = {"type_vocab_size": 2, **config}
    keys = [*_SIZES.values(), "type_vocab_size"]
    missing = [key for key in keys if not isinstance(sizes.get(key), int)]
    if missing:
        raise FileFormatError(path, f"A BERT configuration needs whole numbers for {missing}.")
    activation = config.get("hidden_act", "gelu")
    if activation not in _ACTIVATIONS:
        raise FileFormatError(
            path, f"`hidden_act` must be one of {sorted(_ACTIVATIONS)}. Received: {activation!r}."
        )
    return {
        **{argument: config[key] for argument, key in _SIZES.items()},
        "dropout": config.get("hidden_dropout_prob", 0.1),
        "num_segments": sizes["type_vocab_size"],
        "activation": _ACTIVATIONS[activation],
        "layer_norm_epsilon": config.get("layer_norm_eps", 1e-12),
    }


def load_huggingface(folder, **overrides):
    """Load the weights of a Hugging Face BERT folder into a backbone.

    Reads `config.json` and `model.safetensors`; no pickle is ever read. A
    folder without a pooler leaves the pooler at its random start.

    Args:
        folder: string or `pathlib.Path`. The folder.
        **overrides: arguments of `BertEmbedBackbone` that the folder does not
            fix: `dtype`, `dropout`, `static_vocabulary_size`, `static_dim`,
            `input_fusion`, `output_fusion`, `static_trainable`, `num_tags`,
            `name`, `trainable`.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        MissingFileError: where the folder or a needed file is missing.
        FileFormatError: where a file is broken, or a tensor is missing or of
            the wrong shape (the message names it).
        BertEmbedError: where an override contradicts the checkpoint.

    Example:

    ```python
    from tf_bertembed import models

    folder = models.find_checkpoint("all-minilm-l6-v2")
    backbone = models.load_huggingface(folder)
    assert backbone.num_layers == 6 and backbone.hidden_dim == 384
    ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, "A Hugging Face folder was expected.")
    config_path = folder / "config.json"
    config = read_json(config_path, "A Hugging Face BERT folder holds its sizes there.")
    arguments = backbone_arguments(config_path, config)
    check_overrides("A Hugging Face folder", overrides)
    weights = folder / "model.safetensors"
    if not weights.exists() and (folder / "pytorch_model.bin").exists():
        raise FileFormatError(
            folder / "pytorch_model.bin",
            "This is a pickle, which can run code when read. Convert it where you trust it: "
            "transformers' `BertModel.from_pretrained(folder).save_pretrained(folder)` writes "
            "model.safetensors.",
        )
    require_file(weights, "A Hugging Face BERT folder holds its weights there.")
    source = SafetensorsSource(weights)
    backbone = BertEmbedBackbone(**{**arguments, **overrides})
    assign_backbone(backbone, source)
    return backbone
