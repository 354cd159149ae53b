"""Presets of keras-nlp's own `BertBackbone`, read and written."""

from pathlib import Path

import keras
import numpy as np

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    atomic_path,
    read_json,
    require_file,
)
from tf_bertembed.models.arguments import check_overrides
from tf_bertembed.models.backbone import BertEmbedBackbone
from tf_bertembed.models.filling import filled_backbone
from tf_bertembed.models.lora import plain_weights
from tf_bertembed.models.parts import check_vocabulary
from tf_bertembed.models.tensors import TensorSource, backbone_tensors

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
BACKBONES = ("keras_hub>BertBackbone", "keras_nlp>BertBackbone")

# What `BertBackbone` always computes, whatever it is given.
ACTIVATION, EPSILON = "gelu_tanh", 1e-12

_SIZES = (
    *("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim"),
    *("max_sequence_length", "num_segments"),
)

# Published name: where Keras puts the layer in the file, where the backbone keeps it.
_LAYERS = {
    "embeddings.word_embeddings": ("reversible_embedding", "token_embedding"),
    "embeddings.position_embeddings": ("position_embedding", "position_embedding"),
    "embeddings.token_type_embeddings": ("embedding", "segment_embedding"),
    "embeddings.LayerNorm": ("layer_normalization", "embeddings_layer_norm"),
    "pooler.dense": ("dense", "pooled_dense"),
}

# Inside a transformer layer both are the same.
_PARTS = {
    "attention.self.query": "_self_attention_layer/query_dense",
    "attention.self.key": "_self_attention_layer/key_dense",
    "attention.self.value": "_self_attention_layer/value_dense",
    "attention.output.dense": "_self_attention_layer/output_dense",
    "attention.output.LayerNorm": "_self_attention_layer_norm",
    "intermediate.dense": "_feedforward_intermediate_dense",
    "output.dense": "_feedforward_output_dense",
    "output.LayerNorm": "_feedforward_layer_norm",
}


def _place(name):
    """The layer of a published tensor: in the file, in the backbone, and its variable's index."""
    module, kind = name.rsplit(".", 1)
    variable = 1 if kind == "bias" else 0
    if module in _LAYERS:
        stored, attribute = _LAYERS[module]
        return stored, attribute, variable
    if not module.startswith("encoder.layer."):
        return module, None, variable
    index, part = module.removeprefix("encoder.layer.").split(".", 1)
    suffix = "" if index == "0" else f"_{index}"
    return (
        f"transformer_encoder{suffix}/{_PARTS[part]}",
        f"transformer_layers/{index}/{_PARTS[part]}",
        variable,
    )


class KerasNlpSource(TensorSource):
    """The HDF5 file of a `BertBackbone`'s weights."""

    def __init__(self, path, num_heads):
        super().__init__(path, CONFIG)
        self._num_heads = num_heads
        self._tensors = dict(_read_hdf5(path))

    def stored_name(self, name):
        stored, _, variable = _place(name)
        return f"layers/{stored}/vars/{variable}"

    def has_stored(self, stored):
        return stored in self._tensors

    def read(self, stored):
        return self._tensors[stored]

    def stored_shape(self, stored, shape):
        if "_self_attention_layer/" in stored:
            heads = self._num_heads
            if "output_dense" not in stored:
                return (*shape[1:], heads, shape[0] // heads)
            return (heads, shape[1] // heads, shape[0]) if len(shape) == 2 else shape
        return shape[::-1] if "dense/" in stored else shape

    def publish(self, stored, array):
        if "dense/" not in stored:
            return array
        if stored.endswith("/1"):
            return array.reshape(-1)
        outputs = array.shape[-1] if "output_dense" in stored else array[0].size
        return array.reshape(-1, outputs).T


def _read_hdf5(path):
    import h5py
    import ml_dtypes

    def visit(name, entry):
        if isinstance(entry, h5py.Dataset):
            # Keras marks what NumPy has no name for.
            marked = entry.attrs.get("dtype") == "bfloat16"
            tensors[name] = np.array(entry, dtype=ml_dtypes.bfloat16 if marked else None)

    tensors = {}
    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise FileFormatError(path, f"The HDF5 data is broken: {error}.") from error
    return tensors


def _read_config(folder):
    path = Path(folder) / CONFIG
    config = read_json(path, "A keras-nlp preset describes its backbone there.")
    if config.get("registered_name") not in BACKBONES:
        raise FileFormatError(
            path,
            f"A preset of keras-nlp's BertBackbone was expected. "
            f"Received: {config.get('registered_name')!r}.",
        )
    config = config.get("config")
    config = {"num_segments": 2, **config} if isinstance(config, dict) else {}
    wrong = [name for name in _SIZES if type(config.get(name)) is not int]
    if wrong:
        raise FileFormatError(path, f"A BertBackbone needs whole numbers for {wrong}.")
    # Nothing else of the file is used: no class of its choice is ever made.
    return {name: config[name] for name in (*_SIZES, "dropout") if name in config}


def load_keras_nlp(folder, **overrides):
    """Load a preset of keras-nlp's `BertBackbone` into a backbone.

    Reads `config.json` and `model.weights.h5` of what `save_to_preset` of
    `keras_nlp.models.BertBackbone`, or of one of its tasks, wrote; a task's
    own head is not read. Since that backbone always computes the tanh form of
    GELU and normalises with an epsilon of 1e-12, so does this one.

    Args:
        folder: string or `pathlib.Path`. The folder.
        **overrides: arguments of `BertEmbedBackbone` that the folder does not
            fix; see `load_huggingface`.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        MissingFileError: where the folder or a needed file is missing.
        FileFormatError: where the preset is of another class, a file is
            broken, or a tensor is missing or of the wrong shape (the message
            names it).
        BertEmbedError: where an override contradicts the preset.

    Example:

    ```python
    from tf_bertembed import models

    sizes = {"num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16}
    backbone = models.BertEmbedBackbone(50, 1, **sizes, activation="gelu_tanh")
    models.save_keras_nlp(backbone, "preset")
    assert models.load_keras_nlp("preset").hidden_dim == 8
    ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, "The folder of a keras-nlp preset was expected.")
    arguments = _read_config(folder)
    check_overrides("A keras-nlp preset", overrides)
    weights = folder / WEIGHTS
    if not weights.exists() and (folder / "model.weights.json").exists():
        raise FileFormatError(
            folder / "model.weights.json",
            "The weights are cut into several files. Load the preset with keras-nlp and save it "
            "with `save_to_preset(folder, max_shard_size=None)`.",
        )
    require_file(weights, "A keras-nlp preset holds its weights there.")
    source = KerasNlpSource(weights, arguments["num_heads"])
    fixed = {"activation": ACTIVATION, "layer_norm_epsilon": EPSILON}
    return filled_backbone({**arguments, **fixed, **overrides}, source)


def save_keras_nlp(backbone, folder, tokenizer=None, approximate=False, overwrite=False):
    """Write a preset that keras-nlp's own `BertBackbone` loads.

    `keras_nlp.models.BertBackbone.from_preset(folder)` then gives the same
    numbers, and `keras_nlp.models.BertTokenizer.from_preset(folder)` the
    tokenizer. keras-nlp knows one GELU, the tanh form, and one epsilon, 1e-12;
    a backbone with others is refused, with the difference that it would
    make, unless `approximate` is set. Word vectors, tags, normalisation
    first, a token table of another width and ReLU have no place there.

    Args:
        backbone: a `BertEmbedBackbone`.
        folder: string or `pathlib.Path`. The folder to make.
        tokenizer: a `BertEmbedTokenizer`, or `None` to write none.
        approximate: bool. Whether to write a preset that computes another
            GELU or another epsilon than the backbone.
        overwrite: bool. Whether to replace a folder that is there.

    Returns:
        The folder as `pathlib.Path`.

    Raises:
        BertEmbedError: where keras-nlp's backbone cannot hold this one.
        OutputExistsError: where the folder is there and `overwrite` is False.

    Example:

    ```python
    import keras_nlp
    from tf_bertembed import models, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
    backbone = models.BertEmbedBackbone(6, 1, 2, 8, 16, activation="gelu_tanh")
    models.save_keras_nlp(backbone, "preset", tokenizer)
    assert keras_nlp.models.BertBackbone.from_preset("preset").vocabulary_size == 6
    assert keras_nlp.models.BertTokenizer.from_preset("preset")("One") == [5]
    ```
    """
    _check_form(backbone)
    if tokenizer is not None:
        check_vocabulary(backbone, tokenizer)
    theirs = _keras_nlp_backbone(backbone)
    if not approximate:
        _check_numbers(backbone, theirs)
    with atomic_path(folder, overwrite=overwrite) as place:
        place.mkdir()
        theirs.save_to_preset(str(place), max_shard_size=None)
        if tokenizer is not None:
            _keras_nlp_tokenizer(tokenizer).save_to_preset(str(place))
    return Path(folder)


def _check_form(backbone):
    lacking = {
        "static_vocabulary_size": 0,
        "input_fusion": None,
        "output_fusion": None,
        "num_tags": 0,
        "norm_first": False,
        "embedding_dim": backbone.hidden_dim,
    }
    held = {name: getattr(backbone, name) for name in lacking}
    wrong = [f"{name}={held[name]!r}" for name in lacking if held[name] != lacking[name]]
    if backbone.activation == "relu":
        wrong.append("activation='relu'")
    if wrong:
        raise BertEmbedError(
            "keras-nlp's BertBackbone has no place for a part of this backbone. "
            f"Received: {', '.join(wrong)}."
        )


def _check_numbers(backbone, theirs):
    other = []
    if backbone.activation != ACTIVATION:
        other.append(f"always computes GELU by tanh (here: activation={backbone.activation!r})")
    if backbone.layer_norm_epsilon != EPSILON:
        other.append(
            f"always normalises with epsilon {EPSILON} (here: {backbone.layer_norm_epsilon})"
        )
    if other:
        raise BertEmbedError(
            f"keras-nlp's BertBackbone {' and '.join(other)}. Its sequence output would be off by "
            f"{_difference(backbone, theirs):.1e}, as largest difference over largest magnitude "
            "on random pieces. Pass `approximate=True` (--approximate) to write it all the same."
        )


def _difference(backbone, theirs):
    length = min(64, backbone.max_sequence_length)
    random = np.random.default_rng(0)
    features = {
        "token_ids": random.integers(backbone.vocabulary_size, size=(4, length), dtype="int32"),
        "segment_ids": np.zeros((4, length), "int32"),
        "padding_mask": np.ones((4, length), bool),
    }
    same = BertEmbedBackbone.from_config({**backbone.get_config(), "dtype": "float32"})
    same.set_weights(plain_weights(backbone))
    ours, theirs = (
        np.asarray(model(features)["sequence_output"], "float64") for model in (same, theirs)
    )
    return np.abs(ours - theirs).max() / np.abs(ours).max()


def _keras_nlp_backbone(backbone):
    import keras_nlp

    sizes = {name: getattr(backbone, name) for name in (*_SIZES, "dropout")}
    theirs = keras_nlp.models.BertBackbone(**sizes, dtype="float32")
    for name, array in backbone_tensors(backbone).items():
        _, attribute, variable = _place(name)
        layer = theirs
        for step in attribute.split("/"):
            layer = layer[int(step)] if step.isdigit() else getattr(layer, step)
        target = layer.weights[variable]
        # Theirs keeps heads apart, which is a matter of shape alone.
        turned = array.T if isinstance(layer, _dense_classes()) else array
        target.assign(np.reshape(turned, target.shape))
    return theirs


def _dense_classes():
    return keras.layers.Dense, keras.layers.EinsumDense


def _keras_nlp_tokenizer(tokenizer):
    import keras_nlp

    if not tokenizer.tokenize_chinese_chars:
        raise BertEmbedError(
            "keras-nlp's BertTokenizer always splits at Chinese characters. Received: a tokenizer "
            "with tokenize_chinese_chars=False."
        )
    strip = tokenizer.strip_accents
    return keras_nlp.models.BertTokenizer(
        vocabulary=tokenizer.get_vocabulary(),
        lowercase=tokenizer.lowercase,
        strip_accents=tokenizer.lowercase if strip is None else strip,
    )
