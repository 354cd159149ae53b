"""Weights of a Hugging Face BERT folder, in the backbone's own form."""

from pathlib import Path

import numpy as np

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    read_json,
    require_file,
)
from tf_bertembed.models.backbone import BertEmbedBackbone

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

# Arguments of the backbone that say nothing about the published weights.
_FREE = {
    "dropout",
    "dtype",
    "input_fusion",
    "name",
    "num_tags",
    "output_fusion",
    "static_dim",
    "static_trainable",
    "static_vocabulary_size",
    "trainable",
}


def _backbone_arguments(path, config):
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


class _Tensors:
    """The tensors of a safetensors file, asked for by their published names."""

    def __init__(self, path):
        # Before safetensors, which reads bfloat16 only where NumPy knows it.
        import ml_dtypes  # noqa: F401
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        self.path = path
        try:
            self._tensors = load_file(path)
        except SafetensorError as error:
            raise FileFormatError(path, f"The safetensors data is broken: {error}.") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(
                path,
                "The tensors have a number type that NumPy lacks. Store them as float32, float16 "
                f"or bfloat16. Received: {error}.",
            ) from error
        prefixed = any(name.startswith("bert.") for name in self._tensors)
        self._prefix = "bert." if prefixed else ""

    def __contains__(self, name):
        return self._prefix + name in self._tensors

    def get(self, name, shape):
        # Early checkpoints call the normalisation's weight and bias gamma and beta.
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        old = old.replace("LayerNorm.bias", "LayerNorm.beta")
        found = next((form for form in (name, old) if form in self), None)
        if found is None:
            raise FileFormatError(self.path, f"The tensor {self._prefix}{name} is missing.")
        tensor = self._tensors[self._prefix + found]
        if tensor.shape != shape:
            raise FileFormatError(
                self.path,
                f"The tensor {self._prefix}{found} has the shape {tensor.shape}; by config.json "
                f"it should be {shape}.",
            )
        return tensor.astype("float32")

    def kernel(self, name, inputs, outputs):
        return self.get(f"{name}.weight", (outputs, inputs)).T

    def dense(self, layer, name, inputs, outputs):
        layer.kernel.assign(self.kernel(name, inputs, outputs))
        layer.bias.assign(self.get(f"{name}.bias", (outputs,)))

    def norm(self, layer, name, width):
        layer.gamma.assign(self.get(f"{name}.weight", (width,)))
        layer.beta.assign(self.get(f"{name}.bias", (width,)))


def _assign_layer(layer, tensors, prefix, width, inner):
    parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
    qkv = layer.attention.qkv_dense
    qkv.kernel.assign(
        np.concatenate([tensors.kernel(part, width, width) for part in parts], axis=1)
    )
    qkv.bias.assign(np.concatenate([tensors.get(f"{part}.bias", (width,)) for part in parts]))
    output = f"{prefix}.attention.output"
    tensors.dense(layer.attention.output_dense, f"{output}.dense", width, width)
    tensors.norm(layer.attention_norm, f"{output}.LayerNorm", width)
    tensors.dense(layer.intermediate_dense, f"{prefix}.intermediate.dense", width, inner)
    tensors.dense(layer.output_dense, f"{prefix}.output.dense", inner, width)
    tensors.norm(layer.feedforward_norm, f"{prefix}.output.LayerNorm", width)


def _assign(backbone, tensors):
    width = backbone.hidden_dim
    for layer, name, rows in (
        (backbone.token_embedding.embeddings, "word", backbone.vocabulary_size),
        (
            backbone.position_embedding.position_embeddings,
            "position",
            backbone.max_sequence_length,
        ),
        (backbone.segment_embedding.embeddings, "token_type", backbone.num_segments),
    ):
        layer.assign(tensors.get(f"embeddings.{name}_embeddings.weight", (rows, width)))
    tensors.norm(backbone.embeddings_norm, "embeddings.LayerNorm", width)
    for index, layer in enumerate(backbone.transformer_layers):
        _assign_layer(layer, tensors, f"encoder.layer.{index}", width, backbone.intermediate_dim)
    extra = f"encoder.layer.{backbone.num_layers}.output.dense.weight"
    if extra in tensors:
        raise FileFormatError(
            tensors.path, f"config.json says {backbone.num_layers} layers, but {extra} is there."
        )
    # Encoders saved for masked words or tagging come without a pooler.
    if "pooler.dense.weight" in tensors:
        tensors.dense(backbone.pooler_dense, "pooler.dense", width, width)


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
    arguments = _backbone_arguments(config_path, config)
    fixed = sorted(set(overrides) - _FREE)
    if fixed:
        raise BertEmbedError(
            f"A Hugging Face folder fixes {fixed}; only {sorted(_FREE)} can be passed with it."
        )
    weights = folder / "model.safetensors"
    if not weights.exists() and (folder / "pytorch_model.bin").exists():
        raise FileFormatError(
            folder / "pytorch_model.bin",
            "This is a pickle, which can run code when read. Convert it where you trust it: "
            "transformers' `BertModel.from_pretrained(folder).save_pretrained(folder)` writes "
            "model.safetensors.",
        )
    require_file(weights, "A Hugging Face BERT folder holds its weights there.")
    tensors = _Tensors(weights)
    backbone = BertEmbedBackbone(**{**arguments, **overrides})
    _assign(backbone, tensors)
    return backbone
