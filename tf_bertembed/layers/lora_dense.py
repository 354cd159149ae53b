"""A dense layer that can learn a change of low rank."""

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError


@keras.saving.register_keras_serializable("tf_bertembed")
class LoraDense(keras.layers.Dense):
    """`keras.layers.Dense` with low-rank adaptation for each block of its outputs.

    A layer that computes several products at once, such as queries, keys and
    values, has several `blocks` of outputs; each that is adapted learns its
    own pair of matrices: `x W + alpha / rank * (x A) B`. `A` is random and `B`
    zeros at first, so nothing changes before training. The kernel and the bias
    rest while the layer is adapted.

    Unlike Keras's own, which adds `A B` to the kernel in each call, `x A`
    comes first: so a step never computes the gradient of the whole kernel.
    `kernel` and what is saved hold the sum of both, and a layer that is
    loaded is an ordinary one.

    Args:
        units: int. The width of the output.
        blocks: int. The blocks of equal width that the output consists of.
        **kwargs: passed to `keras.layers.Dense` (`activation`, `dtype`, ...).

    Raises:
        BertEmbedError: where `units` is no multiple of `blocks`.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import layers

    x = np.random.default_rng(0).normal(size=(5, 8)).astype("float32")
    dense = layers.LoraDense(24, blocks=3)
    before = np.asarray(dense(x))
    dense.enable_lora(2, chosen=(0, 2))
    np.testing.assert_allclose(dense(x), before, atol=1e-6)
    assert [v.name for v in dense.trainable_variables] == ["lora_kernel_a", "lora_kernel_b"]
    dense.merge_lora()
    assert [v.name for v in dense.trainable_variables] == ["kernel", "bias"]
    ```

    References:
        Hu et al., 2021, https://arxiv.org/abs/2106.09685
    """

    lora_enabled = False

    def __init__(self, units, blocks=1, **kwargs):
        super().__init__(units, **kwargs)
        if blocks < 1 or units % blocks:
            raise BertEmbedError(
                "The width of the output must be a multiple of its blocks. Received: "
                f"units={units}, blocks={blocks}."
            )
        self.blocks = blocks

    @property
    def trainable(self):
        """Whether training changes the layer; of an adapted one, only what adapts it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Dense.trainable.fset(self, value)
        if self.lora_enabled:
            self._rest()

    def _rest(self):
        for variable in (self._kernel, self.bias):
            if variable is not None:
                variable.trainable = False

    def enable_lora(
        self, rank, lora_alpha=None, a_initializer="he_uniform", b_initializer="zeros", chosen=None
    ):
        """Adapt the layer; Keras's method, and which blocks.

        Args:
            rank: int. The rank of each block's change.
            lora_alpha: float. The change is scaled by `lora_alpha / rank`;
                `None` for `rank`.
            a_initializer: initializer of `A`.
            b_initializer: initializer of `B`.
            chosen: tuple of ints. The blocks, counted from 0; `None` for all.

        Raises:
            BertEmbedError: where the layer is adapted already or not built, or
                the rank or a block cannot be.
        """
        chosen = tuple(range(self.blocks)) if chosen is None else tuple(sorted(set(chosen)))
        width = self.units // self.blocks
        if not self.built or self.lora_enabled or self.quantization_mode:
            raise BertEmbedError(
                f"Only a built layer that is neither adapted nor quantized can be adapted: "
                f"{self.path}."
            )
        if not chosen or not 0 <= chosen[0] <= chosen[-1] < self.blocks:
            raise BertEmbedError(
                f"`chosen` must name blocks from 0 to {self.blocks - 1}. Received: {chosen}."
            )
        if not 1 <= rank <= min(width, self._kernel.shape[0]):
            raise BertEmbedError(
                f"`rank` must be from 1 to {min(width, self._kernel.shape[0])}, the width of "
                f"{self.path}. Received: {rank}."
            )
        self._tracker.unlock()
        # Float32 under any precision, as the weights that they are added to.
        self.lora_kernel_a = self.add_weight(
            name="lora_kernel_a",
            shape=(self._kernel.shape[0], len(chosen) * rank),
            initializer=keras.initializers.get(a_initializer),
            dtype="float32",
        )
        self.lora_kernel_b = self.add_weight(
            name="lora_kernel_b",
            shape=(len(chosen), rank, width),
            initializer=keras.initializers.get(b_initializer),
            dtype="float32",
        )
        self._tracker.lock()
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        self.lora_chosen = chosen
        self._rest()

    def merge_lora(self):
        """Add what was learned to the kernel, and be an ordinary layer again."""
        if not self.lora_enabled:
            return
        self._kernel.assign(self.kernel)
        # A graph that was traced before goes on adding their product.
        self.lora_kernel_b.assign(ops.zeros_like(self.lora_kernel_b))
        self._untrack_variable(self.lora_kernel_a)
        self._untrack_variable(self.lora_kernel_b)
        self.lora_enabled = False
        for variable in self._trainable_variables:
            variable.trainable = self.trainable
        self.lora_rank = self.lora_alpha = self.lora_chosen = None
        self.lora_kernel_a = self.lora_kernel_b = None

    def _scattered(self, changes):
        """The changes of the chosen blocks side by side, zeros for the others."""
        nothing = ops.zeros_like(changes[0])
        places = dict(zip(self.lora_chosen, changes, strict=True))
        return ops.concatenate([places.get(i, nothing) for i in range(self.blocks)], axis=-1)

    def _change(self, inputs):
        """The scaled product with the low-rank matrices."""
        inner = ops.matmul(inputs, self.lora_kernel_a) * (self.lora_alpha / self.lora_rank)
        parts = ops.split(inner, len(self.lora_chosen), axis=-1)
        matrices = ops.unstack(self.lora_kernel_b, axis=0)
        return self._scattered(
            [ops.matmul(part, matrix) for part, matrix in zip(parts, matrices, strict=True)]
        )

    @property
    def kernel(self):
        """The kernel with all that was learned."""
        if not self.lora_enabled:
            return super().kernel
        identity = ops.eye(self._kernel.shape[0], dtype="float32")
        return ops.add(self._kernel, self._change(identity))

    def call(self, inputs, training=None):
        if not self.lora_enabled:
            return super().call(inputs, training=training)
        x = ops.add(ops.matmul(inputs, self._kernel), self._change(inputs))
        x = x if self.bias is None else ops.add(x, self.bias)
        return x if self.activation is None else self.activation(x)

    def quantize(self, mode=None, type_check=True, config=None):
        """Quantize the layer, as `keras.layers.Dense` does."""
        if self.lora_enabled:
            raise BertEmbedError(f"Merge before quantizing: {self.path} is adapted.")
        super().quantize(mode, type_check=False, config=config)

    def load_own_variables(self, store):
        """Load the weights of an ordinary layer; one that is adapted starts anew on them."""
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        random = ops.copy(self.lora_kernel_a)
        super().load_own_variables(store)
        # Keras sets both to zeros, from where neither could move.
        self.lora_kernel_a.assign(random)

    def get_config(self):
        config = super().get_config()
        for name in ("lora_rank", "lora_alpha"):
            config.pop(name, None)
        return {**config, "blocks": self.blocks}
