"""How often the pieces of a vocabulary occur in a corpus, as its own tokenizer finds them."""

from tf_bertembed.text.counting import count_pieces, count_words
from tf_bertembed.text.tokenizer import BertEmbedTokenizer
from tf_bertembed.vectors.wordpiece import is_lowercase


def count_occurrences(texts, vocabulary):
    """Count how often each piece of a vocabulary occurs in texts.

    Texts are lower-cased where no piece has a letter in upper case, as
    `vectors.align` takes it. `Coverage.with_occurrences` takes the counts.

    Args:
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files.
        vocabulary: list of V strings. The pieces, special tokens among them.

    Returns:
        An int64 array `[V]`.

    Raises:
        BertEmbedError: where the texts hold no word, or the vocabulary lacks
            a special token.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from tf_bertembed import text

    vocabulary = [*text.SPECIAL_TOKENS, "the", "sing", "##ing"]
    assert text.count_occurrences(["The singing"], vocabulary)[5:].tolist() == [1, 1, 1]
    ```
    """
    tokenizer = BertEmbedTokenizer(list(vocabulary), lowercase=is_lowercase(vocabulary))
    return count_pieces(count_words(texts, tokenizer), tokenizer)
