"""Ways to cut a text into words."""

import importlib
import logging
import re
from collections.abc import Iterable

from tf_bertembed import common
from tf_bertembed.vectors.wordpiece import IDEOGRAPHS

_IDEOGRAPHS = "".join(f"{chr(first)}-{chr(last)}" for first, last in IDEOGRAPHS)
# One ideograph, a run of letters and digits without any, or one sign.
_CHARACTERS = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+|[^\w\s]")

CHOICES = (
    "spaces, characters, jieba, or MODULE:FUNCTION of a function that takes a string and gives "
    "its words"
)


def segmenter_named(name):
    """Find the function that cuts a text into words.

    Args:
        name: string. `"spaces"`: at white space. `"characters"`: every
            Chinese character and every sign is a word, and so is a run of
            other letters and digits. `"jieba"`: Chinese words, by the package
            jieba. `"MODULE:FUNCTION"`: a function of an installed module.

    Returns:
        A function that takes a string and returns a list of strings.

    Raises:
        BertEmbedError: where there is no such segmenter.
        MissingPackageError: where jieba is asked for and not installed.
    """
    if name == "spaces":
        return str.split
    if name == "characters":
        return _CHARACTERS.findall
    if name == "jieba":
        return _jieba()
    if isinstance(name, str) and name.count(":") == 1:
        return _checked(name, _imported(name))
    raise common.BertEmbedError(f"The segmenter must be {CHOICES}. Received: {name!r}.")


def _jieba():
    try:
        import jieba
    except ImportError as error:
        raise common.MissingPackageError(["jieba"], 'The segmenter "jieba"') from error
    # Its notes about loading its dictionary would come between the lines of a result.
    jieba.setLogLevel(logging.WARNING)
    return lambda text: " ".join(jieba.cut(text)).split()


def _imported(name):
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise common.BertEmbedError(
            f"The segmenter {name!r} cannot be imported: {error}. It must be {CHOICES}."
        ) from error
    if not callable(function):
        raise common.BertEmbedError(
            f"The segmenter {name!r} must be a function. Received: {function!r:.80}."
        )
    return function


def _checked(name, function):
    def cut(text):
        given = function(text)
        one = isinstance(given, (str, bytes)) or not isinstance(given, Iterable)
        words = () if one else list(given)
        if one or not all(isinstance(word, str) for word in words):
            raise common.BertEmbedError(
                f"The segmenter {name!r} must give strings, the words of a text. "
                f"Received: {words or given!r:.80}."
            )
        # A word with white space in it could not be told from two in a file of vectors.
        return " ".join(words).split()

    return cut
