"""Tensors in safetensors files."""

from tf_bertembed.common import FileFormatError
from tf_bertembed.models.tensors import TensorSource

# Heads stand beside the encoder and not under its prefix.
_HEADS = ("cls.", "classifier.")


def _read_safetensors(path):
    # Before safetensors, which reads bfloat16 only where NumPy knows it.
    import ml_dtypes  # noqa: F401
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise FileFormatError(path, f"The safetensors data is broken: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            path,
            "The tensors have a number type that NumPy lacks. Store them as float32, float16 "
            f"or bfloat16. Received: {error}.",
        ) from error


class SafetensorsSource(TensorSource):
    """A safetensors file under Hugging Face's names, with the prefix `bert.` or none."""

    def __init__(self, path):
        super().__init__(path)
        self._tensors = _read_safetensors(path)
        prefixed = any(name.startswith("bert.") for name in self._tensors)
        self._prefix = "bert." if prefixed else ""

    def stored_name(self, name):
        stored = name if name.startswith(_HEADS) else self._prefix + name
        # Early checkpoints call the normalisation's weight and bias gamma and beta.
        old = stored.replace("LayerNorm.weight", "LayerNorm.gamma")
        old = old.replace("LayerNorm.bias", "LayerNorm.beta")
        return old if self.has_stored(old) else stored

    def has_stored(self, stored):
        return stored in self._tensors

    def read(self, stored):
        return self._tensors[stored]
