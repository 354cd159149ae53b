"""Arguments of the backbone that contradict one another."""

from tf_bertembed.common import BertEmbedError, is_whole


def check_not_negative(**sizes):
    """Raise where a size that may be 0 is negative, naming it."""
    for name, value in sizes.items():
        if not is_whole(value) or value < 0:
            raise BertEmbedError(f"`{name}` must be 0 (none) or more. Received: {value!r}.")


def check_fusion(static_vocabulary_size, static_dim, input_fusion, output_fusion):
    """Raise where fusion lacks a table of word vectors, or a table lacks fusion."""
    fused = input_fusion is not None or output_fusion is not None
    if fused and not (static_vocabulary_size and static_dim):
        raise BertEmbedError(
            "Fusion needs a table of word vectors: pass `static_vocabulary_size` (the words "
            "and row 0) and `static_dim`. Received: "
            f"static_vocabulary_size={static_vocabulary_size}, static_dim={static_dim}, "
            f"input_fusion={input_fusion!r}, output_fusion={output_fusion!r}."
        )
    if static_vocabulary_size and not fused:
        raise BertEmbedError(
            "A table of word vectors needs `input_fusion` or `output_fusion`, else nothing "
            f"reads it. Received: static_vocabulary_size={static_vocabulary_size}."
        )


# What says nothing about published weights.
_FREE = {
    "dropout",
    "dtype",
    "input_fusion",
    "name",
    "normalize_encoded",
    "num_tags",
    "output_fusion",
    "static_dim",
    "static_dropout",
    "static_normalize",
    "static_trainable",
    "static_vocabulary_size",
    "trainable",
}


def check_overrides(checkpoint, overrides):
    """Raise where an argument would contradict the weights of a checkpoint."""
    fixed = sorted(set(overrides) - _FREE)
    if fixed:
        raise BertEmbedError(
            f"{checkpoint} fixes {fixed}; only {sorted(_FREE)} can be passed with it."
        )
