"""Word vectors as gensim `KeyedVectors`: read, look up, align to a vocabulary."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Alignment": "alignment.alignment",
        "Cooccurrences": "training.cooccurrence",
        "Coverage": "alignment.coverage",
        "Description": "description",
        "PieceMixture": "mixing.piece_mixture",
        "WordCorpus": "training.word_corpus",
        "align": "alignment.alignment",
        "convert": "files.saving",
        "count_cooccurrences": "training.cooccurrence",
        "describe": "description",
        "evaluate_analogies": "evaluation.analogies",
        "evaluate_similarity": "evaluation.similarity",
        "fit_map": "mapping",
        "load": "files.loading",
        "map_to_table": "mapping",
        "mix_pieces": "mixing.methods",
        "nearest_neighbours": "evaluation.neighbours",
        "plot_map": "evaluation.word_map",
        "postprocess": "postprocessing",
        "read_dictionary": "mixing.dictionaries",
        "save": "files.saving",
        "static_table": "tables",
        "train_fasttext": "training.fasttext",
        "train_one_hot_svd": "training.one_hot_svd",
        "train_word2vec": "training.word2vec",
    },
)
