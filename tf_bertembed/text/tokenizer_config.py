"""The settings of a tokenizer in a Hugging Face folder."""

import json

from tf_bertembed import common


def read_lowercase(path):
    """Whether `tokenizer_config.json` asks for lower case; raises where it asks for more."""
    try:
        config = json.loads("\n".join(line for _, line in common.read_lines(path)))
    except json.JSONDecodeError as error:
        raise common.FileFormatError(
            path, f"JSON was expected: {error.msg}.", error.lineno
        ) from error
    if not isinstance(config, dict):
        raise common.FileFormatError(path, "A JSON object was expected.")
    lowercase = config.get("do_lower_case", True)
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
