"""Hugging Face BERT folders: the backbone in and out."""

import json
from pathlib import Path

from tf_bertembed.common import (
    BertEmbedError,
    MissingFileError,
    atomic_path,
    read_json,
)
from tf_bertembed.models.arguments import check_overrides
from tf_bertembed.models.filling import filled_backbone
from tf_bertembed.models.huggingface_config import backbone_arguments, huggingface_config
from tf_bertembed.models.parts import check_vocabulary
from tf_bertembed.models.tensors import backbone_tensors
from tf_bertembed.models.tensors_file import WEIGHTS, open_weights
from tf_bertembed.text import SPECIAL_TOKENS, BertEmbedTokenizer, save_vocabulary


def read_huggingface(folder, **overrides):
    """A backbone of a Hugging Face folder, with what its heads are read from.

    Args:
        folder: string or `pathlib.Path`. The folder.
        **overrides: as in `load_huggingface`.

    Returns:
        A triple of the `BertEmbedBackbone`, the dict in `config.json` and the
        `TensorSource` of the weights.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, "A Hugging Face folder was expected.")
    config_path = folder / "config.json"
    config = read_json(config_path, "A Hugging Face BERT folder holds its sizes there.")
    check_overrides("A Hugging Face folder", overrides)
    arguments = backbone_arguments(config_path, config, overrides)
    source = open_weights(folder)
    return filled_backbone(arguments, source), config, source


def load_huggingface(folder, **overrides):
    """Load the weights of a Hugging Face BERT folder into a backbone.

    Reads `config.json` and `model.safetensors`, or the files that
    `model.safetensors.index.json` names; no pickle is ever read. A folder
    without a pooler leaves the pooler at its random start. Heads are passed
    over; `tasks.load_huggingface` takes them too.

    Args:
        folder: string or `pathlib.Path`. The folder.
        **overrides: arguments of `BertEmbedBackbone` that the folder does not
            fix: `dtype`, `dropout`, `static_vocabulary_size`, `static_dim`,
            `input_fusion`, `output_fusion`, `static_trainable`, `num_tags`,
            `name`, `trainable`. Where the folder has two dropouts, and
            `dropout` is not passed, that of the hidden states is taken, with
            a warning.

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

    models.save_huggingface(models.BertEmbedBackbone(100, 1, 2, 8, 16), "my-bert")
    backbone = models.load_huggingface("my-bert", dtype="mixed_float16")
    assert backbone.num_layers == 1 and backbone.compute_dtype == "float16"
    ```
    """
    return read_huggingface(folder, **overrides)[0]


def _write_json(path, content):
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _check_tokenizer(tokenizer, backbone):
    if not isinstance(tokenizer, BertEmbedTokenizer):
        raise BertEmbedError(f"A BertEmbedTokenizer was expected. Received: {tokenizer!r}.")
    check_vocabulary(backbone, tokenizer)
    if tokenizer.max_chars_per_word != 100:
        raise BertEmbedError(
            "Hugging Face's BERT tokenizer takes words of up to 100 characters. Received: "
            f"max_chars_per_word={tokenizer.max_chars_per_word}."
        )


def _write_tokenizer(folder, tokenizer, longest):
    save_vocabulary(tokenizer.get_vocabulary(), folder / "vocab.txt")
    special = {f"{token[1:-1].lower()}_token": token for token in SPECIAL_TOKENS}
    _write_json(folder / "special_tokens_map.json", special)
    settings = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
        "model_max_length": longest,
        **special,
    }
    _write_json(folder / "tokenizer_config.json", settings)


def write_huggingface(
    folder, backbone, tensors, config, tokenizer=None, sequence_length=None, overwrite=False
):
    """Write a Hugging Face folder, whole or not at all.

    Args:
        folder: string or `pathlib.Path`. The place.
        backbone: a `BertEmbedBackbone`, whose sizes `tensors` have.
        tensors: dict from name to array. What the class that loads the folder
            asks for.
        config: dict. What `config.json` is to say.
        tokenizer: a `BertEmbedTokenizer` or `None`.
        sequence_length: int. The longest text for the tokenizer; `None` for
            the backbone's.
        overwrite: bool. Whether to replace what stands there.
    """
    from safetensors.numpy import save_file

    if tokenizer is not None:
        _check_tokenizer(tokenizer, backbone)
        config = {**config, "pad_token_id": tokenizer.pad_token_id}
    remedy = "Choose another place, or pass `overwrite=True` to replace it."
    with atomic_path(folder, overwrite, remedy) as place:
        place.mkdir()
        _write_json(place / "config.json", config)
        # transformers refuses a file that does not say which library it is for.
        save_file(tensors, place / WEIGHTS, metadata={"format": "pt"})
        # safetensors lets nobody else read what it writes.
        (place / WEIGHTS).chmod((place / "config.json").stat().st_mode)
        if tokenizer is not None:
            longest = sequence_length or backbone.max_sequence_length
            _write_tokenizer(place, tokenizer, longest)


def save_huggingface(backbone, folder, tokenizer=None, overwrite=False, sequence_length=None):
    """Write a backbone as a Hugging Face folder, for `transformers.BertModel`.

    Writes `config.json` and `model.safetensors` (float32, whatever precision
    the backbone computes in), and with a tokenizer its `vocab.txt` and
    settings. `tasks.save_huggingface` writes a task with its head.

    Args:
        backbone: a `BertEmbedBackbone` without what BERT lacks: fusion, tags,
            `norm_first`, an `embedding_dim` other than `hidden_dim`.
            Sinusoidal positions are written as a table.
        folder: string or `pathlib.Path`. The folder to make.
        tokenizer: a `BertEmbedTokenizer` or `None`.
        overwrite: bool. Whether to replace what stands at `folder`.
        sequence_length: int. The most pieces of a text, written as the
            tokenizer's `model_max_length`; `None` for the backbone's.

    Raises:
        BertEmbedError: where BERT has no place for a part of the backbone
            (the message names it), or the tokenizer does not fit.
        OutputExistsError: where something is there and `overwrite` is False.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models

    backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert")
    again = models.load("my-bert")
    for one, other in zip(backbone.weights, again.weights):
        assert np.array_equal(one, other)
    ```
    """
    config = huggingface_config(backbone, "BertModel")
    tensors = backbone_tensors(backbone)
    write_huggingface(folder, backbone, tensors, config, tokenizer, sequence_length, overwrite)
