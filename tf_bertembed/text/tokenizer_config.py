"""The settings of a tokenizer in a Hugging Face folder."""

from tf_bertembed import common


def read_lowercase(path):
    """Whether `tokenizer_config.json` asks for lower case; raises where it asks for more."""
    config = common.read_json(path, "A Hugging Face folder has the tokenizer's settings there.")
    lowercase = config.get("do_lower_case", True)
    if not isinstance(lowercase, bool):
        raise common.FileFormatError(
            path, f"`do_lower_case` must be true or false. Received: {lowercase!r}."
        )
    strip = config.get("strip_accents")
    if strip is not None and strip != lowercase:
        raise common.FileFormatError(
            path,
            "BertEmbedTokenizer strips accents where it lower-cases and nowhere else. "
            f"Received: do_lower_case={lowercase}, strip_accents={strip}.",
        )
    if not config.get("tokenize_chinese_chars", True):
        raise common.FileFormatError(
            path,
            "BertEmbedTokenizer always splits at Chinese characters. "
            "Received: tokenize_chinese_chars=false.",
        )
    return lowercase
