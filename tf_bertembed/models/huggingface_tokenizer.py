"""What the tokenizer's files of a Hugging Face folder say beside its pieces."""

from tf_bertembed.common import read_json
from tf_bertembed.text.tokenizer_config import FAST, SETTINGS, VOCABULARY


def has_tokenizer(folder):
    """Whether a folder holds a vocabulary."""
    return (folder / VOCABULARY).exists() or (folder / FAST).exists()


def longest_text(folder, positions):
    """The most pieces of a text: the tokenizer's `model_max_length` or, if fewer, the positions."""
    path = folder / SETTINGS
    stated = read_json(path).get("model_max_length") if path.exists() else None
    # Where nothing is known, transformers writes a number beyond any text.
    return stated if isinstance(stated, int) and 0 < stated < positions else positions
