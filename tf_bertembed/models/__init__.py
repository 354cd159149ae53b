"""The backbone, its warm start, and checkpoints from other formats."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedBackbone": "backbone",
        "SentenceSettings": "sentence_transformers",
        "TextEncoder": "text_encoder",
        "WordEncoder": "word_encoder",
        "WordVectors": "word_encoder",
        "add_lora": "lora",
        "checkpoint_format": "loading",
        "find_checkpoint": "names",
        "load": "loading",
        "load_encoder": "text_encoder",
        "load_google": "google",
        "load_huggingface": "huggingface",
        "load_keras_nlp": "keras_nlp_presets",
        "load_tokenizer": "tokenizers",
        "merge_lora": "lora",
        "load_word_encoder": "word_encoder",
        "project": "projection",
        "read_sentence_transformers": "sentence_transformers",
        "save_huggingface": "huggingface",
        "save_keras_nlp": "keras_nlp_presets",
        "transfer_vocabulary": "vocabulary_transfer",
        "warm_start": "token_table",
        "with_fusion": "fusing",
    },
)
