"""One door for every kind of checkpoint."""

import contextlib
from pathlib import Path

import keras

from tf_bertembed.common import FileFormatError, read_json
from tf_bertembed.layers.initializers import without_drawing
from tf_bertembed.models.backbone import BertEmbedBackbone
from tf_bertembed.models.google import CONFIG as GOOGLE_CONFIG
from tf_bertembed.models.google import load_google
from tf_bertembed.models.huggingface import load_huggingface
from tf_bertembed.models.keras_nlp_presets import BACKBONES as KERAS_NLP_BACKBONES
from tf_bertembed.models.keras_nlp_presets import load_keras_nlp
from tf_bertembed.models.names import find_checkpoint

OWN = "tf_bertembed>BertEmbedBackbone"


def checkpoint_format(folder):
    """Tell the format of a checkpoint folder by what its configuration says.

    Args:
        folder: string or `pathlib.Path`. The folder.

    Returns:
        A string: `"huggingface"` (sentence-transformers' folders too),
        `"google"`, `"keras-nlp"`, or `"tf-bertembed"` for what
        `save_to_preset` of this project wrote.

    Raises:
        MissingFileError: where there is no configuration.
        FileFormatError: where the configuration is of none of these.

    Example:

    ```python
    from tf_bertembed import models

    folder = models.find_checkpoint("all-minilm-l6-v2")
    assert models.checkpoint_format(folder) == "huggingface"
    ```
    """
    path = Path(folder) / "config.json"
    if not path.exists() and path.with_name(GOOGLE_CONFIG).exists():
        return "google"
    config = read_json(
        path,
        f"Every checkpoint folder describes its model there (Google's in {GOOGLE_CONFIG}).",
    )
    if "registered_name" not in config:
        return "huggingface"
    name = config["registered_name"]
    if name in KERAS_NLP_BACKBONES:
        return "keras-nlp"
    if name == OWN:
        return "tf-bertembed"
    raise FileFormatError(
        path,
        f"A preset of BertEmbedBackbone or of keras-nlp's BertBackbone was expected. "
        f"Received: {name!r}.",
    )


_LOADERS = {
    "huggingface": load_huggingface,
    "google": load_google,
    "keras-nlp": load_keras_nlp,
}


def load(path_or_name, **overrides):
    """Load a backbone from a folder or by name.

    Args:
        path_or_name: string or `pathlib.Path`. A Hugging Face BERT folder
            (`config.json`, `model.safetensors`), a folder that
            `save_to_preset` wrote, here or for keras-nlp's `BertBackbone`,
            one of Google's (`bert_config.json`, `bert_model.ckpt.*`), or the
            name `"all-minilm-l6-v2"`.
        **overrides: arguments of `BertEmbedBackbone` that the checkpoint does
            not fix, for example `dtype`, or for another format than our own
            `output_fusion` with `static_vocabulary_size` and `static_dim`.
            The dtype is by default Keras's own (`keras.config`), whatever
            the checkpoint was trained in; weights are float32 under each.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        MissingFileError: where a folder or a needed file is missing.
        MissingPackageError: where the name's package is not installed.
        FileFormatError: where a file does not hold what it should.

    Example:

    ```python
    from tf_bertembed import models

    small = models.BertEmbedBackbone(100, 1, 2, 8, 16)
    small.save_to_preset("small")
    assert models.load("small").hidden_dim == 8
    ```
    """
    folder = find_checkpoint(path_or_name)
    form = checkpoint_format(folder)
    if form in _LOADERS:
        return _LOADERS[form](folder, **overrides)
    # Named here since keras-nlp 0.32 cannot read a mixed dtype from a preset.
    overrides.setdefault("dtype", keras.config.dtype_policy().name)
    # All of its weights are in the file, so none is drawn in vain.
    filled = overrides.get("load_weights", True)
    with without_drawing() if filled else contextlib.nullcontext():
        return BertEmbedBackbone.from_preset(str(folder), **overrides)
