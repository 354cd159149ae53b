"""The pieces and settings of a tokenizer in a Hugging Face folder."""

from pathlib import Path

from tf_bertembed import common
from tf_bertembed.text.vocabulary import load_vocabulary

VOCABULARY, SETTINGS, FAST = "vocab.txt", "tokenizer_config.json", "tokenizer.json"
# Names in the settings and in the normalizer of tokenizer.json, and what published tokenizers
# take where nothing is said.
FLAGS = {
    "lowercase": ("do_lower_case", "lowercase", True),
    "strip_accents": ("strip_accents", "strip_accents", None),
    "tokenize_chinese_chars": ("tokenize_chinese_chars", "handle_chinese_chars", True),
}


def read_flags(folder):
    """Read how a Hugging Face folder has text normalised.

    As `transformers` does it: by `tokenizer_config.json`, whatever the
    normalizer of `tokenizer.json` says; by that where there are no settings.

    Args:
        folder: string or `pathlib.Path`. The folder.

    Returns:
        A dict of arguments of `BertEmbedTokenizer`: `lowercase`,
        `strip_accents` and `tokenize_chinese_chars`.

    Raises:
        FileFormatError: where a file is no JSON, a flag is no bool, or
            `tokenizer.json` has another normalizer than BERT's.
    """
    settings, fast = Path(folder) / SETTINGS, Path(folder) / FAST
    if settings.exists():
        return _flags(settings, common.read_json(settings), 0)
    if fast.exists():
        normalizer = common.read_json(fast).get("normalizer")
        kind = normalizer.get("type") if isinstance(normalizer, dict) else normalizer
        if kind != "BertNormalizer":
            raise common.FileFormatError(
                fast, f"A `normalizer` of type 'BertNormalizer' was expected. Received: {kind!r}."
            )
        return _flags(fast, normalizer, 1)
    return {name: default for name, (*_, default) in FLAGS.items()}


def _flags(path, values, which):
    flags = {}
    for argument, names in FLAGS.items():
        name, default = names[which], names[2]
        value = values.get(name, default)
        if not isinstance(value, bool) and not (value is None and default is None):
            raise common.FileFormatError(
                path, f"`{name}` must be true or false. Received: {value!r}."
            )
        flags[argument] = value
    return flags


def read_pieces(folder):
    """Read the vocabulary of a Hugging Face folder.

    Args:
        folder: string or `pathlib.Path`. A folder with `vocab.txt` or, as
            `transformers` 5 writes it, with `tokenizer.json` alone.

    Returns:
        A dict of arguments of `BertEmbedTokenizer`: `vocabulary`, and where
        `tokenizer.json` says it `max_chars_per_word`.

    Raises:
        MissingFileError: where there is neither file.
        FileFormatError: where the file does not hold a WordPiece vocabulary
            as published BERT tokenizers have it.
    """
    fast = Path(folder) / FAST
    if (Path(folder) / VOCABULARY).exists() or not fast.exists():
        return {"vocabulary": load_vocabulary(Path(folder) / VOCABULARY)}
    content = common.read_json(fast)
    model = content.get("model")
    model = model if isinstance(model, dict) else {}
    pieces = model.get("vocab")
    wordpiece = model.get("type", "WordPiece") == "WordPiece" and isinstance(pieces, dict)
    if not wordpiece or model.get("continuing_subword_prefix", "##") != "##":
        raise common.FileFormatError(
            fast,
            "A WordPiece vocabulary with the prefix '##' was expected. Received: a model of type "
            f"{model.get('type')!r}.",
        )
    ids = set(pieces.values()) if all(type(i) is int for i in pieces.values()) else ()
    if ids != set(range(len(pieces))):
        raise common.FileFormatError(fast, "The ids of the pieces must be 0, 1, ..., each once.")
    added = content.get("added_tokens")
    added = [] if added is None else added
    named = isinstance(added, list) and all(
        isinstance(token, dict) and isinstance(token.get("content"), str) for token in added
    )
    if not named:
        raise common.FileFormatError(
            fast,
            "`added_tokens` must be a list of objects with the string `content`. Received: "
            f"{added!r:.200}.",
        )
    unknown = [token["content"] for token in added if token["content"] not in pieces]
    if unknown:
        raise common.FileFormatError(
            fast, f"Added tokens that are no pieces of the vocabulary. Received: {unknown[:5]}."
        )
    longest = model.get("max_input_chars_per_word", 100)
    return {"vocabulary": sorted(pieces, key=pieces.get), "max_chars_per_word": longest}
