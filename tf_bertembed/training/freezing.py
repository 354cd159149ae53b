"""Which weights training changes."""

import keras
import numpy as np

from tf_bertembed.common import BertEmbedError, check_at_least, is_whole
from tf_bertembed.models.encoder_parts import embedding_layers, mark
from tf_bertembed.models.lora import adapted_layers, train_adaptation


def set_trainable(task, layers="all", vectors=None):
    """Choose which part of a task training changes.

    The head is always trained, with what lies near it: the pooler, the last
    normalisation of a `norm_first` encoder, and the layers of fusion. (Where
    `input_fusion` is among them, gradients still run through the whole
    encoder.) For what is frozen below, no gradient is computed.

    It sets the flags `trainable` of the backbone's layers, so another task
    over the same backbone sees it. Call it before `compile`; a later call
    takes effect at once where the optimizer was made for these weights, and
    else Keras asks for a new one. Saved folders and `.keras` files keep the
    weights and whether the word vectors are trained, and nothing of what else
    is frozen: call it again on a task that was loaded.

    Dropout goes on in frozen layers, as everywhere in Keras; a backbone made
    or loaded with `dropout=0.0` has none.

    Args:
        task: a task, such as `tasks.TextClassifier`.
        layers: `"all"`; `"head"` for the head alone; an int for so many of the
            topmost transformer layers and the head, the embeddings frozen; or
            `"lora"` for the head and what `models.add_lora` added, after which
            only `"lora"` and `"head"` can be chosen.
        vectors: bool. Whether the table of word vectors is trained; row 0
            stays zeros. `None` leaves that as the backbone's
            `static_trainable` says, which is what a `bool` sets.

    Raises:
        BertEmbedError: where the backbone has no such layers, or no vectors.

    Example:

    ```python
    from tf_bertembed import models, tasks, training

    classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 3, 2, 8, 16), 2)
    training.set_trainable(classifier, layers=1)
    paths = [v.path for v in classifier.trainable_variables]
    assert {path.split("/")[0] for path in paths} == {"transformer_layer_2", "pooler", "logits"}
    ```

    References:
        Fine-tuning the last layers: Lee et al., 2019,
        https://arxiv.org/abs/1911.03090
    """
    backbone = task.backbone
    count = _open_layers(backbone, layers)
    table = backbone.static_embedding
    if vectors and table is None:
        raise BertEmbedError(
            "The backbone has no table of word vectors (`models.with_fusion` gives it one). "
            f"Received: vectors={vectors}."
        )
    if adapted_layers(backbone):
        train_adaptation(backbone)
    else:
        mark(backbone, True)
    if layers != "lora":
        for layer in backbone.transformer_layers[: backbone.num_layers - count]:
            mark(layer, False)
    if layers != "all":
        for layer in embedding_layers(backbone):
            mark(layer, False)
    if table is not None:
        if vectors is not None:
            backbone.static_trainable = bool(vectors)
        mark(table, backbone.static_trainable)
    # A step that was traced before would go on with the weights of then.
    if getattr(task, "train_function", None) is not None:
        task.make_train_function(force=True)


def _open_layers(backbone, layers):
    """How many transformer layers are trained."""
    adapted = bool(adapted_layers(backbone))
    if layers == ("lora" if adapted else "all"):
        return backbone.num_layers
    if layers == "head":
        return 0
    if adapted:
        raise BertEmbedError(
            'A backbone after `add_lora` trains "lora" or "head"; `models.merge_lora` ends that. '
            f"Received: layers={layers!r}."
        )
    if not is_whole(layers) or not 0 <= layers <= backbone.num_layers:
        raise BertEmbedError(
            '`layers` must be "all", "head", "lora" (after `models.add_lora`), or a number from '
            f"0 to {backbone.num_layers}, the layers of the backbone. Received: {layers!r}."
        )
    return int(layers)


def count_trainable(task):
    """Count the weights that training changes.

    Args:
        task: a task, or any Keras model.

    Returns:
        int.

    Example:

    ```python
    from tf_bertembed import models, tasks, training

    classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 3, 2, 8, 16), 2)
    training.set_trainable(classifier, "head")
    assert training.count_trainable(classifier) == 8 * 8 + 8 + 8 * 2 + 2
    ```
    """
    return sum(int(np.prod(variable.shape)) for variable in task.trainable_variables)


class GradualUnfreezing(keras.callbacks.Callback):
    """Opens one more transformer layer from the top as the epochs go by.

    The first epochs train the head alone (see `set_trainable`), the next also
    the topmost layer, and so on down; then the embeddings. The optimizer goes
    on with what it knows of the weights that were open before. Works with
    `keras.callbacks.EarlyStopping`, whose patience should outlast an epoch or
    two in which only the head is trained.

    Args:
        epochs_per_layer: int. The epochs after which the next layer opens.
        start: int. The transformer layers that are open from the first epoch.
        embeddings: bool. Whether the embeddings open after the last layer.

    Raises:
        BertEmbedError: where a number cannot be; and in `fit`, where the task
            is adapted by `models.add_lora`, or was compiled and trained with
            some of its layers frozen.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models, tasks, training

    classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 2, 2, 8, 16), 2)
    features = {
        "token_ids": np.ones((2, 4), "int32"),
        "segment_ids": np.zeros((2, 4), "int32"),
        "padding_mask": np.ones((2, 4), bool),
    }
    before = [layer.get_weights() for layer in classifier.backbone.transformer_layers]
    classifier.fit(
        features, [0, 1], epochs=2, verbose=0, callbacks=[training.GradualUnfreezing()]
    )
    after = [layer.get_weights() for layer in classifier.backbone.transformer_layers]
    moved = [(np.array(old[0]) != new[0]).any() for old, new in zip(before, after)]
    assert moved == [False, True]
    ```

    References:
        Howard and Ruder, 2018, https://arxiv.org/abs/1801.06146
    """

    def __init__(self, epochs_per_layer=1, start=0, embeddings=True):
        super().__init__()
        check_at_least(1, epochs_per_layer=epochs_per_layer)
        check_at_least(0, start=start)
        self.epochs_per_layer = epochs_per_layer
        self.start = start
        self.embeddings = embeddings
        self._opened = None

    def _layers(self, epoch):
        """What `set_trainable` takes in an epoch."""
        total = self.model.backbone.num_layers
        count = self.start + epoch // self.epochs_per_layer
        return "all" if self.embeddings and count > total else min(count, total)

    def on_train_begin(self, logs=None):
        self._opened = None
        last = "all" if self.embeddings else self.model.backbone.num_layers
        set_trainable(self.model, last)
        known = self.model.optimizer._trainable_variables_indices
        key = self.model.optimizer._var_key
        missing = [v.path for v in self.model.trainable_variables if key(v) not in known]
        if missing:
            raise BertEmbedError(
                "The optimizer was made while layers were frozen that are to be opened. Call "
                f"`compile` again before `fit`. Received an optimizer without: {missing[:3]}."
            )

    def on_epoch_begin(self, epoch, logs=None):
        layers = self._layers(epoch)
        if layers != self._opened:
            set_trainable(self.model, layers)
            self._opened = layers
