"""Fine-tuning by changes of low rank."""

import keras_nlp
import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.encoder_parts import dense_and_norm_layers, embedding_layers, mark

# What can be adapted in a transformer layer: the dense layer, and its block of outputs.
TARGETS = {
    "query": ("attention.qkv_dense", 0),
    "key": ("attention.qkv_dense", 1),
    "value": ("attention.qkv_dense", 2),
    "attention_output": ("attention.output_dense", 0),
    "intermediate": ("intermediate_dense", 0),
    "output": ("output_dense", 0),
}
DEFAULT_TARGETS = ("query", "value")


def _find(layer, path):
    for name in path.split("."):
        layer = getattr(layer, name)
    return layer


def adapted_layers(backbone):
    """The dense layers of a backbone that are adapted."""
    paths = dict.fromkeys(path for path, _ in TARGETS.values())
    found = [_find(layer, path) for layer in backbone.transformer_layers for path in paths]
    return [dense for dense in found if dense.lora_enabled]


def plain_weights(layer):
    """The weights of a layer, as arrays, with all that was learned at low rank in the kernels.

    Args:
        layer: a Keras layer or model.

    Returns:
        A list of arrays, as `get_weights` of an ordinary layer gives it.
    """
    inner = layer._flatten_layers()
    adapted = [part for part in inner if getattr(part, "lora_rank", None)]
    added = {id(v) for part in adapted for v in (part.lora_kernel_a, part.lora_kernel_b)}
    kernels = {id(part._kernel): part.kernel for part in adapted}
    rest = [variable for variable in layer.weights if id(variable) not in added]
    return [np.asarray(kernels.get(id(variable), variable)) for variable in rest]


def train_adaptation(backbone):
    """Leave to training what adapts a backbone, and what is near the head, alone."""
    mark(backbone, True)
    frozen = [*embedding_layers(backbone), backbone.static_embedding]
    for layer in backbone.transformer_layers:
        parts = dense_and_norm_layers(layer)
        rest = [part for part in parts if not getattr(part, "lora_enabled", False)]
        frozen.extend([layer] if len(rest) == len(parts) else rest)
    for layer in frozen:
        if layer is not None:
            mark(layer, False)


def add_lora(backbone, rank, alpha=None, targets=DEFAULT_TARGETS, layers=None):
    """Adapt a backbone by changes of low rank, and freeze all else in it.

    Training then moves two thin matrices for each target in each layer, the
    pooler, the layers of fusion, and a task's head. At first nothing changes.
    Queries, keys and values are adapted each for itself, though one kernel
    computes them. Saved folders, `.keras` files and checkpoints of other
    formats hold the sums: they load as an ordinary backbone that gives the
    same numbers, and every weight of which is trained. Exported models keep
    the matrices apart; `merge_lora` first makes them as fast as any other.

    Call it before `compile`, or compile again.

    Args:
        backbone: a `BertEmbedBackbone`.
        rank: int. The rank of each change.
        alpha: float. Changes are scaled by `alpha / rank`; `None` for `rank`.
        targets: tuple of strings, out of `"query"`, `"key"`, `"value"`,
            `"attention_output"`, `"intermediate"` and `"output"` (the two
            parts of the feed-forward network). The default is the paper's.
        layers: int. Adapt only so many of the topmost layers; `None` for all.

    Raises:
        BertEmbedError: where the backbone is adapted already, or a target, the
            rank or the number of layers cannot be.

    Example:

    ```python
    from tf_bertembed import models, tasks, training

    backbone = models.BertEmbedBackbone(100, 2, 2, 8, 16)
    models.add_lora(backbone, rank=2)
    classifier = tasks.TextClassifier(backbone, 2)
    # Two layers with two targets, the pooler, the head.
    assert training.count_trainable(classifier) == 2 * 2 * (8 * 2 + 2 * 8) + 72 + 18
    ```

    References:
        Hu et al., 2021, https://arxiv.org/abs/2106.09685
    """
    if adapted_layers(backbone):
        raise BertEmbedError("The backbone is adapted already; `merge_lora` ends that.")
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    unknown = sorted(set(targets) - set(TARGETS))
    if unknown or not targets:
        raise BertEmbedError(
            f"`targets` must be out of {list(TARGETS)}. Received: {list(targets)}."
        )
    count = backbone.num_layers if layers is None else layers
    if not 1 <= count <= backbone.num_layers:
        raise BertEmbedError(
            f"`layers` must be from 1 to {backbone.num_layers}, the layers of the backbone. "
            f"Received: {layers}."
        )
    chosen = {}
    for target in targets:
        path, block = TARGETS[target]
        chosen.setdefault(path, []).append(block)
    for layer in backbone.transformer_layers[-count:]:
        for path, blocks in chosen.items():
            _find(layer, path).enable_lora(rank, alpha, chosen=blocks)
    train_adaptation(backbone)
    backbone._note_lora(rank)


def merge_lora(backbone):
    """Add what low-rank matrices learned to the kernels, and remove them.

    The answers stay the same, to the rounding of float32. All of the backbone
    is left to training again, the word vectors as `static_trainable` says.

    Args:
        backbone: a `BertEmbedBackbone` after `add_lora`.

    Raises:
        BertEmbedError: where nothing is adapted.

    Example:

    ```python
    from tf_bertembed import models

    backbone = models.BertEmbedBackbone(100, 2, 2, 8, 16)
    count = backbone.count_params()
    models.add_lora(backbone, rank=2)
    models.merge_lora(backbone)
    assert backbone.count_params() == count
    ```
    """
    adapted = adapted_layers(backbone)
    if not adapted:
        raise BertEmbedError("Nothing in the backbone is adapted: `add_lora` does so.")
    for dense in adapted:
        dense.merge_lora()
    backbone._note_lora(None)
    mark(backbone, True)
    if backbone.static_embedding is not None:
        mark(backbone.static_embedding, backbone.static_trainable)


class AdaptableBackbone(keras_nlp.models.Backbone):
    """A backbone on which keras-nlp's own methods for LoRA work."""

    # How often `add_lora` and `merge_lora` changed it: graphs of before are out of date.
    times_adapted = 0

    def enable_lora(self, rank, target_layer_names=None):
        """Adapt the backbone: keras-nlp's name for `models.add_lora`.

        Args:
            rank: int. The rank of each change.
            target_layer_names: list of strings, the targets of `add_lora`;
                `None` for queries and values.
        """
        add_lora(self, rank, targets=target_layer_names or DEFAULT_TARGETS)

    def _note_lora(self, rank):
        # Where `save_lora_weights` and `load_lora_weights` look.
        self._lora_rank = rank
        self.times_adapted += 1
        layers = [x for x in self._flatten_layers(include_self=False) if x.weights]
        adapted = {id(dense) for dense in adapted_layers(self)}
        self._lora_enabled_layers = [i for i, x in enumerate(layers) if id(x) in adapted]
