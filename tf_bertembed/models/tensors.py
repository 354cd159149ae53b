"""One table between the backbone's variables and the published names of its tensors.

The names and shapes are those of Hugging Face's BERT without the prefix `bert.`; a matrix
of a dense layer is stored `[outputs, inputs]`. Every format is read and written through it.
"""

import dataclasses

import numpy as np

from tf_bertembed.common import FileFormatError

POSITIONS = "embeddings.position_embeddings.weight"


class TensorSource:
    """Tensors by their published names, whatever a file calls and how it stores them.

    A format says in `stored_name` what a tensor is called in its file and in `read` what is
    stored there; where a tensor has another shape there, `stored_shape` says which, and
    `publish` gives it the published one.

    Args:
        path: string or `pathlib.Path`. The file that errors name.
        config_name: string. The file that fixes the shapes.
    """

    def __init__(self, path, config_name="config.json"):
        self.path = path
        self.config_name = config_name

    def stored_name(self, name):
        """The name in the file, whether it is there or not."""
        raise NotImplementedError

    def has_stored(self, stored):
        """Whether the file holds a tensor under its own name for it."""
        raise NotImplementedError

    def read(self, stored):
        """The array under the file's own name."""
        raise NotImplementedError

    def stored_shape(self, stored, shape):
        """The shape in the file of a tensor that is published with `shape`."""
        return shape

    def publish(self, stored, array):
        """The array with its published shape."""
        return array

    def __contains__(self, name):
        return self.has_stored(self.stored_name(name))

    def get(self, name, shape):
        """A tensor as float32; raises where it is missing, of another shape or not finite."""
        stored = self.stored_name(name)
        if not self.has_stored(stored):
            raise FileFormatError(self.path, f"The tensor {stored} is missing.")
        array = self.read(stored)
        expected = self.stored_shape(stored, tuple(shape))
        if array.shape != expected:
            raise FileFormatError(
                self.path,
                f"The tensor {stored} has the shape {array.shape}; by {self.config_name} "
                f"it should be {expected}.",
            )
        # Other kinds than these are real numbers, also where NumPy itself lacks the type.
        if array.dtype.kind in "biucOSU":
            raise FileFormatError(
                self.path,
                f"The tensor {stored} should hold real numbers. Received: {array.dtype.name}.",
            )
        # What is too large for float32 becomes infinite, and is refused as such.
        with np.errstate(over="ignore"):
            array = self.publish(stored, array).astype("float32", copy=False)
        if not np.isfinite(array).all():
            raise FileFormatError(
                self.path, f"The tensor {stored} holds values that are NaN or infinite in float32."
            )
        return array


@dataclasses.dataclass(frozen=True)
class Slot:
    """A variable and the published tensors that it is made of, one below the other.

    A dense layer's matrix is published `transposed`; where classes are numbered from the
    other end, the published rows are `flipped`.
    """

    variable: object
    names: tuple
    transposed: bool = False
    flipped: bool = False

    def assign(self, source):
        shape = tuple(self.variable.shape)[:: -1 if self.transposed else 1]
        shape = (shape[0] // len(self.names), *shape[1:])
        parts = [source.get(name, shape) for name in self.names]
        value = parts[0] if len(parts) == 1 else np.concatenate(parts)
        value = value[::-1] if self.flipped else value
        self.variable.assign(value.T if self.transposed else value)

    def tensors(self):
        value = np.asarray(self.variable, "float32")
        value = value.T if self.transposed else value
        parts = np.split(value[::-1] if self.flipped else value, len(self.names))
        return {n: np.ascontiguousarray(p) for n, p in zip(self.names, parts, strict=True)}


def dense_slots(layer, *names, flipped=False):
    """The slots of a dense layer; several names where it computes several layers at once."""
    weights, biases = (tuple(f"{name}.{part}" for name in names) for part in ("weight", "bias"))
    return [Slot(layer.kernel, weights, True, flipped), Slot(layer.bias, biases, False, flipped)]


def norm_slots(layer, name):
    """The slots of a layer normalisation."""
    return [Slot(layer.gamma, (f"{name}.weight",)), Slot(layer.beta, (f"{name}.bias",))]


def _layer_slots(layer, prefix):
    attention, output = f"{prefix}.attention", f"{prefix}.attention.output"
    parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
    return [
        *dense_slots(layer.attention.qkv_dense, *parts),
        *dense_slots(layer.attention.output_dense, f"{output}.dense"),
        *norm_slots(layer.attention_norm, f"{output}.LayerNorm"),
        *dense_slots(layer.intermediate_dense, f"{prefix}.intermediate.dense"),
        *dense_slots(layer.output_dense, f"{prefix}.output.dense"),
        *norm_slots(layer.feedforward_norm, f"{prefix}.output.LayerNorm"),
    ]


def _encoder_slots(backbone):
    slots = [
        Slot(backbone.token_embedding.embeddings, ("embeddings.word_embeddings.weight",)),
        Slot(backbone.segment_embedding.embeddings, ("embeddings.token_type_embeddings.weight",)),
        *norm_slots(backbone.embeddings_norm, "embeddings.LayerNorm"),
    ]
    if backbone.position_embedding_kind == "learned":
        slots.append(Slot(backbone.position_embedding.position_embeddings, (POSITIONS,)))
    for index, layer in enumerate(backbone.transformer_layers):
        slots.extend(_layer_slots(layer, f"encoder.layer.{index}"))
    return slots


def _pooler_slots(backbone):
    return dense_slots(backbone.pooler_dense, "pooler.dense")


def assign_slots(slots, source):
    """Fill variables from a source; gives the variables."""
    for slot in slots:
        slot.assign(source)
    return [slot.variable for slot in slots]


def slot_tensors(slots):
    """What variables hold, by published names."""
    return {name: value for slot in slots for name, value in slot.tensors().items()}


def assign_backbone(backbone, source):
    """Fill a backbone's encoder from published tensors.

    A source without a pooler leaves the pooler as it is.

    Args:
        backbone: a `BertEmbedBackbone` with learned positions.
        source: a `TensorSource`.

    Returns:
        A list of the variables that were filled.

    Raises:
        FileFormatError: where a tensor is missing, of the wrong shape, or of a
            layer that the backbone does not have (the message names it).
    """
    extra = f"encoder.layer.{backbone.num_layers}.output.dense.weight"
    if extra in source:
        raise FileFormatError(
            source.path,
            f"{source.config_name} says {backbone.num_layers} layers, but "
            f"{source.stored_name(extra)} is there.",
        )
    filled = assign_slots(_encoder_slots(backbone), source)
    # Encoders saved for masked words or tagging come without a pooler.
    pooler = _pooler_slots(backbone)
    if any(name in source for slot in pooler for name in slot.names):
        filled += assign_slots(pooler, source)
    return filled


def backbone_tensors(backbone):
    """What a backbone's encoder and pooler hold, by published names.

    Args:
        backbone: a `BertEmbedBackbone`. Sinusoidal positions come as a table;
            of what the published form lacks (fusion, tags, a projection after
            the token table) nothing is said here.

    Returns:
        A dict from string to array, float32.
    """
    # Here, since readers of files do not need TensorFlow.
    from tf_bertembed.layers import PositionEmbedding

    tensors = slot_tensors([*_encoder_slots(backbone), *_pooler_slots(backbone)])
    if POSITIONS not in tensors:
        length = backbone.max_sequence_length
        # Made anew, since the backbone's own may be cut to half precision.
        places = PositionEmbedding(length, backbone.hidden_dim, kind="sinusoidal", dtype="float32")
        tensors[POSITIONS] = np.asarray(places(np.zeros((1, length), "int32")))
    return tensors
