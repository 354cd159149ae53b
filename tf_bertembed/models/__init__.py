"""The backbone, its warm start, and checkpoints from other formats."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedBackbone": "backbone",
        "checkpoint_format": "loading",
        "find_checkpoint": "names",
        "load": "loading",
        "load_google": "google",
        "load_huggingface": "huggingface",
        "load_keras_nlp": "keras_nlp_presets",
        "project": "token_table",
        "save_huggingface": "huggingface",
        "save_keras_nlp": "keras_nlp_presets",
        "warm_start": "token_table",
        "with_fusion": "fusing",
    },
)
