"""The settings of a tokenizer in a Hugging Face folder."""

from pathlib import Path

from tf_bertembed import common

SETTINGS, FAST = "tokenizer_config.json", "tokenizer.json"
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


def read_lowercase(path):
    """Whether a folder with this `tokenizer_config.json` lower-cases, where nothing else is set."""
    common.require_file(path)
    flags = read_flags(Path(path).parent)
    if flags["strip_accents"] not in (None, flags["lowercase"]):
        raise common.FileFormatError(
            path, f"`strip_accents` differs from `do_lower_case`. Received: {flags}."
        )
    if not flags["tokenize_chinese_chars"]:
        raise common.FileFormatError(path, "Received: tokenize_chinese_chars=false.")
    return flags["lowercase"]
