"""The tokenizer of a Hugging Face folder, in either form that `transformers` wrote it."""

from tf_bertembed.common import FileFormatError, read_json
from tf_bertembed.text import BertEmbedTokenizer
from tf_bertembed.text.tokenizer_config import read_lowercase

VOCABULARY, SETTINGS, FAST = "vocab.txt", "tokenizer_config.json", "tokenizer.json"


def has_tokenizer(folder):
    """Whether a folder holds a vocabulary."""
    return (folder / VOCABULARY).exists() or (folder / FAST).exists()


def longest_text(folder, positions):
    """The most pieces of a text: the tokenizer's `model_max_length` or, if fewer, the positions."""
    path = folder / SETTINGS
    stated = read_json(path).get("model_max_length") if path.exists() else None
    # Where nothing is known, transformers writes a number beyond any text.
    return stated if isinstance(stated, int) and 0 < stated < positions else positions


def _pieces(path, content):
    model = content.get("model")
    model = model if isinstance(model, dict) else {}
    vocabulary = model.get("vocab")
    wordpiece = model.get("type", "WordPiece") == "WordPiece" and isinstance(vocabulary, dict)
    if not wordpiece or model.get("continuing_subword_prefix", "##") != "##":
        raise FileFormatError(
            path,
            "A WordPiece vocabulary with the prefix '##' was expected. Received: a model of type "
            f"{model.get('type')!r}.",
        )
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise FileFormatError(path, "The ids of the pieces must be 0, 1, ..., each once.")
    added = [token["content"] for token in content.get("added_tokens", ())]
    unknown = [token for token in added if token not in vocabulary]
    if unknown:
        raise FileFormatError(
            path, f"Added tokens that are no pieces of the vocabulary. Received: {unknown[:5]}."
        )
    return sorted(vocabulary, key=vocabulary.get), model.get("max_input_chars_per_word", 100)


def read_tokenizer(folder):
    """Make the tokenizer of a folder out of `vocab.txt` or, without that, `tokenizer.json`.

    Args:
        folder: `pathlib.Path`. The folder.

    Returns:
        A `BertEmbedTokenizer`.

    Raises:
        MissingFileError: where a file is missing.
        FileFormatError: where one is not what it should be, or asks for what a
            `BertEmbedTokenizer` does not do.
    """
    # transformers 5 writes tokenizer.json alone, and beside it always the settings.
    if (folder / VOCABULARY).exists() or not (folder / FAST).exists():
        return BertEmbedTokenizer.from_folder(folder)
    pieces, longest_word = _pieces(folder / FAST, read_json(folder / FAST))
    lowercase = read_lowercase(folder / SETTINGS)
    return BertEmbedTokenizer(pieces, lowercase=lowercase, max_chars_per_word=longest_word)
