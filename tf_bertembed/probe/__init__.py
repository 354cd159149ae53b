"""scikit-learn estimators: strings in, features out."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedTransformer": "bert_embed_transformer",
        "WordVectorTransformer": "word_vector_transformer",
        "embed_file": "files",
    },
)
