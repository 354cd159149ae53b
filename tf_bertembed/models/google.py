"""Google's BERT checkpoints of TensorFlow 1: `bert_config.json` and `bert_model.ckpt.*`."""

import re
from pathlib import Path

import tensorflow as tf

from tf_bertembed.common import FileFormatError, MissingFileError, read_json
from tf_bertembed.models.arguments import check_overrides
from tf_bertembed.models.filling import filled_backbone
from tf_bertembed.models.huggingface_config import backbone_arguments
from tf_bertembed.models.tensors import TensorSource

CONFIG = "bert_config.json"
INDEX = ".index"

# Where the name is not the published one with slashes, the variable's own.
_VARIABLES = {
    "cls.predictions.bias": "cls/predictions/output_bias",
    "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
    "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
}


class GoogleSource(TensorSource):
    """A TensorFlow 1 checkpoint under the names of Google's `modeling.py`.

    Whatever else it holds, such as the optimizer's moments, is not looked at.
    """

    def __init__(self, prefix):
        super().__init__(prefix, CONFIG)
        try:
            self._reader = tf.train.load_checkpoint(str(prefix))
        except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
            raise FileFormatError(
                f"{prefix}{INDEX}",
                f"The checkpoint's index is broken; fetch the file again. Received: {error}.",
            ) from error
        self._shapes = self._reader.get_variable_to_shape_map()

    def stored_name(self, name):
        if name in _VARIABLES:
            return _VARIABLES[name]
        path = re.sub(r"\blayer\.(\d+)\b", r"layer_\1", name).replace(".", "/")
        path = path.replace("LayerNorm/weight", "LayerNorm/gamma")
        path = path.replace("LayerNorm/bias", "LayerNorm/beta")
        path = re.sub(r"_embeddings/weight$", "_embeddings", path)
        path = re.sub(r"/weight$", "/kernel", path)
        return path if path.startswith("cls/") else f"bert/{path}"

    def has_stored(self, stored):
        return stored in self._shapes

    def stored_shape(self, stored, shape):
        return shape[::-1] if stored.endswith("/kernel") else shape

    def publish(self, stored, array):
        return array.T if stored.endswith("/kernel") else array

    def read(self, stored):
        try:
            return self._reader.get_tensor(stored)
        except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
            raise FileFormatError(
                self.path,
                f"The tensor {stored} cannot be read: a data file ({self.path.name}.data-*) is "
                f"missing, cut off or damaged. Fetch it again. Received: {error}.",
            ) from error


def find_google_prefix(folder):
    """The prefix of the one checkpoint in a folder, such as `folder/bert_model.ckpt`."""
    folder = Path(folder)
    prefix = folder / "bert_model.ckpt"
    if prefix.with_name(prefix.name + INDEX).exists():
        return prefix
    found = sorted(entry.name for entry in folder.glob(f"*{INDEX}"))
    if len(found) == 1:
        return folder / found[0].removesuffix(INDEX)
    if not found:
        raise MissingFileError(
            f"{prefix}{INDEX}", "Google's checkpoints are bert_model.ckpt.index and .data-*."
        )
    raise FileFormatError(folder, f"One checkpoint was expected in the folder. Received: {found}.")


def _arguments(folder, activation, overrides):
    path = folder / CONFIG
    config = read_json(path, "A Google BERT folder holds its sizes there.")
    if config.get("hidden_act", "gelu") == "gelu":
        config = {**config, "hidden_act": "gelu_new"}
    if activation is not None:
        overrides = {**overrides, "activation": activation}
    return backbone_arguments(path, config, overrides)


def read_google(folder, activation=None, **overrides):
    """A backbone of Google's checkpoint, with the source that its heads are read from.

    Args:
        folder: string or `pathlib.Path`. The folder.
        activation: string. As in `load_google`.
        **overrides: as in `load_google`.

    Returns:
        A pair of a `BertEmbedBackbone` and a `GoogleSource`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, "A folder with a Google BERT checkpoint was expected.")
    check_overrides("A Google BERT folder", overrides)
    arguments = _arguments(folder, activation, overrides)
    source = GoogleSource(find_google_prefix(folder))
    return filled_backbone(arguments, source), source


def load_google(folder, activation=None, **overrides):
    """Load Google's BERT checkpoint of TensorFlow 1 into a backbone.

    Reads `bert_config.json` and `bert_model.ckpt.*` (or the one other
    checkpoint of the folder). The optimizer's variables are passed over.

    `"gelu"` in such a configuration is the tanh form, `"gelu_tanh"` here,
    since that is what Google's released `modeling.py` computes for it. Its
    first versions computed the exact form, as Hugging Face's conversions of
    the same weights do: for that pass `activation="gelu"`.

    Args:
        folder: string or `pathlib.Path`. The folder.
        activation: string. `"gelu_tanh"`, `"gelu"` or `"relu"` instead of
            what the configuration names.
        **overrides: arguments of `BertEmbedBackbone` that the folder does not
            fix; see `load_huggingface`.

    Returns:
        A `BertEmbedBackbone`.

    Raises:
        MissingFileError: where the folder or a needed file is missing.
        FileFormatError: where a file is broken, or a tensor is missing or of
            the wrong shape (the message names it).
        BertEmbedError: where an override contradicts the checkpoint.

    Example:

    ```python
    import pathlib
    from tf_bertembed import common, models

    folder = pathlib.Path("uncased_L-1_H-8_A-2")
    folder.mkdir()
    try:
        models.load_google(folder)
    except common.MissingFileError as error:
        assert "bert_config.json" in str(error)
    ```

    Source:
        `modeling.py` of https://github.com/google-research/bert; its change
        of GELU: commit bee6030e31e42a9394ac567da170a89a98d2062f.
    """
    return read_google(folder, activation, **overrides)[0]
