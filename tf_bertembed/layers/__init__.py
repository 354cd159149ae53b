"""Keras layers of the backbone: tensors in, tensors out."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Dropout": "dropout",
        "FirstPieces": "first_pieces",
        "InputFusion": "input_fusion",
        "LoraDense": "lora_dense",
        "MaskedLMHead": "masked_lm_head",
        "MaskedPooling": "masked_pooling",
        "OutputFusion": "output_fusion",
        "PositionEmbedding": "position_embedding",
        "SelfAttention": "self_attention",
        "SifPooling": "sif_pooling",
        "StaticDropout": "static_dropout",
        "StaticEmbedding": "static_embedding",
        "TransformerLayer": "transformer_layer",
        "get_activation": "activations",
    },
)
