"""The tokenizer of a checkpoint folder of any format."""

import re
from pathlib import Path

from tf_bertembed.common import BertEmbedError, FileFormatError, read_json
from tf_bertembed.models.loading import checkpoint_format
from tf_bertembed.models.names import find_checkpoint
from tf_bertembed.text import BertEmbedTokenizer, load_vocabulary

KERAS_NLP_TOKENIZERS = ("keras_hub>BertTokenizer", "keras_nlp>BertTokenizer")

# What a BERT tokenizer does, and the only thing that ours does.
_KERAS_NLP_FIXED = {
    "split": True,
    "suffix_indicator": "##",
    "oov_token": "[UNK]",
    "special_tokens_in_strings": False,
}


def google_lowercase(folder, vocabulary, lowercase=None):
    """Whether the tokenizer of Google's folder lower-cases, and what tells so.

    No file of such a folder says it. Google's `tokenization.py` goes by the
    folder's name; where that tells nothing, the pieces do: only a model of
    cased text has pieces with capital letters.

    Args:
        folder: string or `pathlib.Path`. The folder.
        vocabulary: list of strings. Its pieces.
        lowercase: bool. The answer where it is known, or `None`.

    Returns:
        A pair of a bool and a string, what it was taken from.
    """
    if lowercase is not None:
        return lowercase, "as given"
    name = Path(folder).resolve().name
    found = re.search("(?<![a-z])(un)?cased(?![a-z])", name, re.IGNORECASE)
    if found is not None:
        return found[1] is not None, f"by the folder's name, {name}"
    cased = any(re.search("[A-Z]", piece) for piece in vocabulary if not piece.startswith("["))
    return not cased, f"by the pieces, {'some' if cased else 'none'} of which has a capital"


def _read_google(folder, lowercase):
    vocabulary = load_vocabulary(folder / "vocab.txt")
    lowercase, _ = google_lowercase(folder, vocabulary, lowercase)
    return BertEmbedTokenizer(vocabulary, lowercase=lowercase)


def _read_keras_nlp(folder):
    path = folder / "tokenizer.json"
    content = read_json(
        path, "A model needs its tokenizer: save it there with `tokenizer.save_to_preset(folder)`."
    )
    name = content.get("registered_name")
    if name not in KERAS_NLP_TOKENIZERS:
        raise FileFormatError(
            path,
            f"A tokenizer of keras-nlp's class BertTokenizer was expected. Received: {name!r}.",
        )
    config = content.get("config")
    config = config if isinstance(config, dict) else {}
    flags = {
        "lowercase": config.get("lowercase", False),
        "strip_accents": config.get("strip_accents", False),
        "tokenize_chinese_chars": config.get("split_on_cjk", True),
    }
    wrong = {k: config[k] for k, v in _KERAS_NLP_FIXED.items() if config.get(k, v) != v}
    wrong.update({k: v for k, v in flags.items() if not isinstance(v, bool)})
    if wrong:
        raise FileFormatError(
            path,
            "A BertEmbedTokenizer splits at white space and punctuation and marks pieces within "
            "words by '##'; its flags are true or false. Received: "
            f"{', '.join(f'{name}={value!r}' for name, value in wrong.items())}.",
        )
    vocabulary = load_vocabulary(folder / "assets" / "tokenizer" / "vocabulary.txt")
    return BertEmbedTokenizer(vocabulary, **flags)


def load_tokenizer(path_or_name, lowercase=None):
    """Load the tokenizer of a checkpoint folder of any format.

    Google's folders do not say whether they lower-case: it is taken from the
    folder's name, which has `cased` or `uncased` in it, or else from the
    pieces, of which only a cased model's have capital letters. In a preset of
    keras-nlp lower-casing and stripping accents are two flags, and the second
    is off by default there, other than in published BERT tokenizers.

    Args:
        path_or_name: string or `pathlib.Path`. A folder or a name, as for
            `load`.
        lowercase: bool. For Google's folders: whether to lower-case, where
            name and pieces mislead.

    Returns:
        A `BertEmbedTokenizer`.

    Raises:
        MissingFileError: where a file is missing.
        FileFormatError: where a file is not what it should be, or asks for
            what a `BertEmbedTokenizer` does not do.
        BertEmbedError: where `lowercase` is given for a folder that says it.

    Example:

    ```python
    from tf_bertembed import models

    tokenizer = models.load_tokenizer("all-minilm-l6-v2")
    assert tokenizer.vocabulary_size() == 30522
    ```

    Source:
        `validate_case_matches_checkpoint` in `tokenization.py` of
        https://github.com/google-research/bert.
    """
    folder = find_checkpoint(path_or_name)
    form = checkpoint_format(folder)
    if form == "google":
        return _read_google(folder, lowercase)
    if lowercase is not None:
        raise BertEmbedError(
            "`lowercase` (--lowercase) is for Google's folders, which do not say it; "
            f"{folder} ({form}) does. Received: {lowercase}."
        )
    if form == "keras-nlp":
        return _read_keras_nlp(folder)
    if form == "tf-bertembed":
        return BertEmbedTokenizer.from_preset(str(folder))
    return BertEmbedTokenizer.from_folder(folder)
