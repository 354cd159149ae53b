"""Word vectors as gensim `KeyedVectors`: read, look up, align to a vocabulary."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Alignment": "alignment",
        "Cooccurrences": "cooccurrence",
        "Coverage": "coverage",
        "Description": "description",
        "PieceMixture": "piece_mixture",
        "WordCorpus": "word_corpus",
        "align": "alignment",
        "convert": "saving",
        "count_cooccurrences": "cooccurrence",
        "describe": "description",
        "evaluate_analogies": "analogies",
        "evaluate_similarity": "similarity",
        "fit_map": "mapping",
        "load": "loading",
        "map_to_table": "mapping",
        "mix_pieces": "piece_mixing",
        "nearest_neighbours": "neighbours",
        "plot_map": "word_map",
        "postprocess": "postprocessing",
        "read_dictionary": "dictionaries",
        "save": "saving",
        "static_table": "tables",
        "train_fasttext": "fasttext",
        "train_one_hot_svd": "one_hot_svd",
        "train_word2vec": "word2vec",
    },
)
