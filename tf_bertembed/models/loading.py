"""One door for every kind of checkpoint."""

import keras

from tf_bertembed.common import FileFormatError, read_json
from tf_bertembed.models.backbone import BertEmbedBackbone
from tf_bertembed.models.huggingface import load_huggingface
from tf_bertembed.models.names import find_checkpoint


def load(path_or_name, **overrides):
    """Load a backbone from a folder or by name.

    Args:
        path_or_name: string or `pathlib.Path`. A Hugging Face BERT folder
            (`config.json`, `model.safetensors`), a folder that
            `save_to_preset` wrote, or the name `"all-minilm-l6-v2"`.
        **overrides: arguments of `BertEmbedBackbone` that the checkpoint does
            not fix, for example `dtype`, or for a Hugging Face folder
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
    config_path = folder / "config.json"
    config = read_json(config_path, "Every checkpoint folder describes its model there.")
    if "registered_name" not in config:
        return load_huggingface(folder, **overrides)
    if config["registered_name"] != "tf_bertembed>BertEmbedBackbone":
        raise FileFormatError(
            config_path,
            f"A preset of BertEmbedBackbone was expected. Received: {config['registered_name']!r}.",
        )
    # Named here since keras-nlp 0.32 cannot read a mixed dtype from a preset.
    overrides.setdefault("dtype", keras.config.dtype_policy().name)
    return BertEmbedBackbone.from_preset(str(folder), **overrides)
