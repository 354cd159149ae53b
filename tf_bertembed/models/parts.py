"""Whether a preprocessor and a backbone are of one model."""

from tf_bertembed.common import BertEmbedError


def check_vocabulary(backbone, tokenizer):
    """Raise where a tokenizer has pieces that a backbone's token table lacks.

    Args:
        backbone: a `BertEmbedBackbone`.
        tokenizer: a `BertEmbedTokenizer`.

    Raises:
        BertEmbedError: where the vocabulary is larger than the table.
    """
    pieces = tokenizer.vocabulary_size()
    if pieces > backbone.vocabulary_size:
        raise BertEmbedError(
            f"The tokenizer has {pieces} pieces, the backbone's token table only "
            f"{backbone.vocabulary_size}. Use the vocabulary that the backbone was made with."
        )


def check_parts(backbone, preprocessor):
    """Raise where a preprocessor makes features that a backbone cannot take.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `Preprocessor`, with its vocabulary and words.

    Raises:
        BertEmbedError: where vocabulary, length or words do not fit, or the
            backbone reads tags, which no preprocessor makes.
    """
    if backbone.num_tags:
        raise BertEmbedError(
            "The backbone reads `tag_ids`, which no preprocessor makes from texts. Make the task "
            "with `preprocessor=None` and give it features, or the backbone with `num_tags=0`. "
            f"Received: num_tags={backbone.num_tags}."
        )
    check_vocabulary(backbone, preprocessor.tokenizer)
    if preprocessor.sequence_length > backbone.max_sequence_length:
        raise BertEmbedError(
            "The preprocessor's `sequence_length` is longer than the backbone's position table. "
            f"Received: {preprocessor.sequence_length}; at most: {backbone.max_sequence_length}."
        )
    words = len(preprocessor.static_words or ())
    rows = max(backbone.static_vocabulary_size, 1)
    if words + 1 != rows:
        raise BertEmbedError(
            f"The preprocessor knows {words} words with a vector, the backbone's table has "
            f"{rows - 1}. Give both what `vectors.static_table` returned."
        )
