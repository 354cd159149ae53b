"""Files that word vectors are measured with: scored pairs of words, and analogies."""

import importlib.util
import math
from pathlib import Path

from tf_bertembed import common

PAIRS = {"wordsim-353": "wordsim353.tsv", "simlex-999": "simlex999.txt"}
ANALOGIES = {"questions-words": "questions-words.txt"}


def find(path_or_name, named, kind):
    """The place of a test set: gensim carries those that have a name."""
    if path_or_name in named:
        package = importlib.util.find_spec("gensim").submodule_search_locations[0]
        place = Path(package) / "test" / "test_data" / named[path_or_name]
        return common.require_file(place, "It comes with the package gensim: install it again.")
    names = ", ".join(map(repr, named))
    return common.require_file(path_or_name, f"Give a file of {kind}, or a name: {names}.")


def read_pairs(path):
    """Read lines of `word1 word2 score`.

    Columns are parted by tabs, in a line without tabs by white space. Empty
    lines and lines that begin with `#` are passed over, and so is a header:
    a first line whose third column has no digit.

    Args:
        path: string or `pathlib.Path`. The file, in UTF-8; may be gzipped.

    Returns:
        A list of triples: two strings and a float.

    Raises:
        FileFormatError: where a line is something else, or there is no pair.
    """
    pairs = []
    for first, (number, line) in _content(path):
        columns = [column.strip() for column in line.split("\t" if "\t" in line else None)]
        if len(columns) != 3 or not all(columns):
            raise common.FileFormatError(
                path,
                "Three columns were expected, `word1 word2 score` parted by tabs. "
                f"Received: {line!r}.",
                number,
            )
        *words, written = columns
        score = _number(written)
        if score is None:
            if first and not any(map(str.isdigit, written)):
                continue
            raise common.FileFormatError(
                path,
                f"The third column must be a finite number, the score. Received: {written!r}.",
                number,
            )
        pairs.append((*words, score))
    if not pairs:
        raise common.FileFormatError(path, "There is no line of `word1 word2 score`.")
    return pairs


def read_analogies(path):
    """Read questions of four words, a line each, under lines of `: section`.

    Args:
        path: string or `pathlib.Path`. The file, in UTF-8; may be gzipped.

    Returns:
        A dict from each section's name to its list of tuples of four strings.

    Raises:
        FileFormatError: where a line is something else, stands above the first
            section, or there is no question.
    """
    sections = {}
    questions = None
    for _, (number, line) in _content(path):
        if line.startswith(":"):
            questions = sections.setdefault(line[1:].strip(), [])
            continue
        words = tuple(line.split())
        if len(words) != 4:
            raise common.FileFormatError(
                path,
                "Four words were expected, or the name of a section after a colon. "
                f"Received: {line!r}.",
                number,
            )
        if questions is None:
            raise common.FileFormatError(
                path, f"A section, `: name`, must come first. Received: {line!r}.", number
            )
        questions.append(words)
    sections = {name: questions for name, questions in sections.items() if questions}
    if not sections:
        raise common.FileFormatError(path, "There is no line of four words.")
    return sections


def _content(path):
    lines = (
        (number, line)
        for number, line in common.read_lines(path)
        if line.strip() and not line.startswith("#")
    )
    return ((index == 0, pair) for index, pair in enumerate(lines))


def _number(written):
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
