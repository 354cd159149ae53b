"""The backbone, its warm start, and checkpoints from other formats."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedBackbone": "backbone",
        "find_checkpoint": "names",
        "load": "loading",
        "load_huggingface": "huggingface",
        "project": "token_table",
        "warm_start": "token_table",
        "with_fusion": "fusing",
    },
)
