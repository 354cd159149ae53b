"""What decides a fit, beside the data and the model."""

import dataclasses
import math
import numbers

from tf_bertembed.common import BertEmbedError, check_at_least, check_limits

MOST_PIECES = 1 << 14
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class FitSettings:
    """How a task is fitted.

    Args:
        epochs: int. The most passes over the examples.
        batch_size: int. Examples in a step.
        learning_rate: float. The highest; `None` for 5e-5, or 1e-3 where the
            backbone is new, or its layers are not trained or by `lora_rank`.
        warmup_share: float. The share of the steps in which it rises.
        weight_decay: float. AdamW's decay.
        sequence_length: int. The most pieces of a text, from 3 to 16,384.
        precision: string. `"float32"`, `"mixed_float16"` or
            `"mixed_bfloat16"`; `None` for Keras's own.
        seed: int. Seeds all that is random.
        patience: int. After how many epochs without a better dev metric to
            stop; `None` to train all of them. The best weights are kept
            either way. Without a dev set, all epochs are trained.
        layers: string or int. What is trained: `"all"`, `"head"` for the head
            alone, or the number of the topmost layers; see `set_trainable`.
        unfreeze_every: int. Open one more layer from the top after so many
            epochs (`GradualUnfreezing`); `None` for none.
        lora_rank: int. Train changes of this rank instead of the layers
            (`models.add_lora`), with `layers` a number only in the topmost;
            `None` to train the layers.
        lora_alpha: float. Scales the changes; `None` for the rank.
        layer_decay: float. The share of the learning rate from one layer to
            the next below; see `create_optimizer`.
        head_factor: float. What the learning rate of the head is multiplied by.

    Raises:
        BertEmbedError: where a number is out of its range, or one way to
            fine-tune excludes another.

    Example:

    ```python
    from tf_bertembed import training

    settings = training.FitSettings(epochs=10, patience=2)
    assert settings.batch_size == 32
    ```
    """

    epochs: int = 3
    batch_size: int = 32
    learning_rate: float | None = None
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    sequence_length: int = 128
    precision: str | None = None
    seed: int = 0
    patience: int | None = None
    layers: str | int = "all"
    unfreeze_every: int | None = None
    lora_rank: int | None = None
    lora_alpha: float | None = None
    layer_decay: float = 1.0
    head_factor: float = 1.0

    def __post_init__(self):
        check_at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        check_at_least(3, sequence_length=self.sequence_length)
        if self.sequence_length > MOST_PIECES:
            raise BertEmbedError(
                f"`sequence_length` must be at most {MOST_PIECES}, where the attention of one head "
                f"to one text takes a gigabyte. Received: {self.sequence_length}."
            )
        check_at_least(0, seed=self.seed)
        if self.seed >= 2**32:
            raise BertEmbedError(f"`seed` must be less than 2**32. Received: {self.seed}.")
        check_limits(
            patience=self.patience, unfreeze_every=self.unfreeze_every, lora_rank=self.lora_rank
        )
        self._check_ways()
        for name in ("learning_rate", "lora_alpha"):
            if getattr(self, name) is not None:
                self._require(name, "positive", lambda value: 0 < value < math.inf)
        self._require("warmup_share", "from 0 to less than 1", lambda value: 0 <= value < 1)
        self._require("weight_decay", "at least 0", lambda value: 0 <= value < math.inf)
        self._require("layer_decay", "above 0 and at most 1", lambda value: 0 < value <= 1)
        self._require("head_factor", "positive", lambda value: 0 < value < math.inf)
        if self.precision not in (None, *PRECISIONS):
            raise BertEmbedError(
                f"`precision` must be one of {', '.join(PRECISIONS)}. Received: {self.precision!r}."
            )

    def _require(self, name, wanted, holds):
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not holds(value):
            raise BertEmbedError(f"`{name}` must be {wanted}. Received: {value!r}.")

    def _check_ways(self):
        if self.unfreeze_every is not None and (self.lora_rank or self.layers != "all"):
            raise BertEmbedError(
                "`unfreeze_every` (--unfreeze-every) opens all layers in turn: it goes with "
                "neither `layers` nor `lora_rank` (--layers, --lora-rank)."
            )
        if self.lora_rank is None and self.lora_alpha is not None:
            raise BertEmbedError("`lora_alpha` (--lora-alpha) needs `lora_rank` (--lora-rank).")
        if self.lora_rank is not None and self.layers == "head":
            raise BertEmbedError(
                "With `lora_rank` (--lora-rank) the head is trained in any case; `layers` "
                "(--layers) says in how many layers changes are. Received: 'head'."
            )
        if isinstance(self.layers, str) and self.layers not in ("all", "head"):
            raise BertEmbedError(
                f'`layers` (--layers) must be "all", "head" or a number. Received: {self.layers!r}.'
            )
        if not isinstance(self.layers, str):
            check_at_least(0, layers=self.layers)
