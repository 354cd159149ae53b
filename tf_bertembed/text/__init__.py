"""Vocabulary, tokenizer, preprocessor, pretraining examples, readers of data files."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedTokenizer": "tokenizer",
        "PackedTexts": "packed",
        "Preprocessor": "preprocessor",
        "PretrainingExamples": "pretraining",
        "QuestionPreprocessor": "question_preprocessor",
        "SPECIAL_TOKENS": "vocabulary",
        "SquadExample": "squad",
        "SquadRepairs": "squad",
        "TaggingPreprocessor": "tagging_preprocessor",
        "count_occurrences": "occurrences",
        "count_pieces": "counting",
        "count_words": "counting",
        "detect_scheme": "tag_schemes",
        "extend_vocabulary": "extension",
        "length_batches": "batches",
        "load_vocabulary": "vocabulary",
        "marks_entities": "tag_schemes",
        "piece_batches": "batches",
        "read_documents": "readers",
        "read_labelled": "labelled",
        "read_squad": "squad",
        "read_tagged": "conll",
        "save_vocabulary": "vocabulary",
        "scheme_faults": "tag_schemes",
        "train_piece_vectors": "piece_vectors",
        "train_vocabulary": "vocabulary",
    },
)
