"""Tensors in safetensors files, read one at a time."""

from pathlib import Path

from tf_bertembed.common import FileFormatError, read_json, require_file
from tf_bertembed.models.tensors import TensorSource

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")

# Heads stand beside the encoder and not under its prefix.
HEADS = ("cls.", "classifier.", "qa_outputs.")
MASKED_LM_BIAS = "cls.predictions.bias"


class _Shard:
    """One safetensors file, whose faults are told with its name."""

    def __init__(self, path):
        # Before safetensors, which reads bfloat16 only where NumPy knows it.
        import ml_dtypes  # noqa: F401
        from safetensors import SafetensorError, safe_open

        self.path = require_file(path, "A Hugging Face BERT folder holds its weights there.")
        try:
            self._file = safe_open(self.path, "np")
        except SafetensorError as error:
            raise FileFormatError(path, f"The safetensors data is broken: {error}.") from error
        self.names = set(self._file.keys())

    def read(self, name):
        try:
            return self._file.get_tensor(name)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(
                self.path,
                f"The tensor {name} has a number type that NumPy lacks. Store it as float32, "
                f"float16 or bfloat16. Received: {error}.",
            ) from error


def _indexed_shards(path):
    weight_map = read_json(path).get("weight_map")
    named = isinstance(weight_map, dict) and all(
        # A plain name, so that an index does not reach out of its folder.
        isinstance(file, str) and file == file.replace("\\", "/").rsplit("/", 1)[-1] != ".."
        for file in weight_map.values()
    )
    if not weight_map or not named:
        raise FileFormatError(
            path, "`weight_map` must give for each tensor the name of a file beside the index."
        )
    shards = {file: _Shard(path.parent / file) for file in sorted(set(weight_map.values()))}
    for name, file in weight_map.items():
        if name not in shards[file].names:
            raise FileFormatError(
                path.parent / file, f"The tensor {name} is missing, which {path.name} says is here."
            )
    return {name: shards[file] for name, file in weight_map.items()}


class SafetensorsSource(TensorSource):
    """A safetensors file or its index, under Hugging Face's names with the prefix or without."""

    def __init__(self, path):
        super().__init__(path)
        path = Path(path)
        if path.name == INDEX:
            self._shards = _indexed_shards(path)
        else:
            shard = _Shard(path)
            self._shards = dict.fromkeys(shard.names, shard)
        prefixed = any(name.startswith("bert.") for name in self._shards)
        self._prefix = "bert." if prefixed else ""

    @property
    def head_names(self):
        """The tensors that are no part of the encoder, by their stored names."""
        return sorted(name for name in self._shards if name.startswith(HEADS))

    def stored_name(self, name):
        stored = name if name.startswith(HEADS) else self._prefix + name
        # Early checkpoints call the normalisation's weight and bias gamma and beta.
        old = stored.replace("LayerNorm.weight", "LayerNorm.gamma")
        old = old.replace("LayerNorm.bias", "LayerNorm.beta")
        if name == MASKED_LM_BIAS:
            old = "cls.predictions.decoder.bias"
        return old if old in self._shards and stored not in self._shards else stored

    def has_stored(self, stored):
        return stored in self._shards

    def read(self, stored):
        return self._shards[stored].read(stored)


def open_weights(folder):
    """The weights of a Hugging Face folder: one file, or an index of several.

    Args:
        folder: `pathlib.Path`. The folder.

    Returns:
        A `SafetensorsSource`.

    Raises:
        MissingFileError: where there are none.
        FileFormatError: where they are broken, or there is only a pickle.
    """
    if not (folder / WEIGHTS).exists():
        if (folder / INDEX).exists():
            return SafetensorsSource(folder / INDEX)
        pickle = next((folder / name for name in PICKLES if (folder / name).exists()), None)
        if pickle is not None:
            raise FileFormatError(
                pickle,
                "This is a pickle, which can run code when read. Convert it where you trust it: "
                "transformers' `AutoModel.from_pretrained(folder).save_pretrained(folder)`, with "
                "the class that config.json names under `architectures` in place of AutoModel to "
                "keep its head, writes model.safetensors.",
            )
    return SafetensorsSource(folder / WEIGHTS)
