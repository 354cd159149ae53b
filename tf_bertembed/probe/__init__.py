"""scikit-learn estimators: strings in, features out."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedTransformer": "bert_embed_transformer",
        "ProbeClassifier": "probe_classifier",
        "TextIndex": "text_index",
        "WhiteningTransformer": "whitening_transformer",
        "WordVectorTransformer": "word_vector_transformer",
        "build_index": "index_building",
        "compare": "comparison.comparing",
        "embed_file": "file_embedding",
        "open_index": "text_index",
    },
)
