"""Vocabulary, tokenizer, preprocessor, pretraining examples, readers of data files."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedTokenizer": "tokenizer",
        "Preprocessor": "preprocessor",
        "SPECIAL_TOKENS": "vocabulary",
        "load_vocabulary": "vocabulary",
        "save_vocabulary": "vocabulary",
    },
)
