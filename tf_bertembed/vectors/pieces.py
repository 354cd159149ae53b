"""Which words a piece of a WordPiece vocabulary is a part of."""

import re
import unicodedata

SPECIAL = re.compile(r"\[(PAD|UNK|CLS|SEP|MASK|unused\d+)\]")
CONTINUATION = "##"
# CJK ideographs, each a word of its own to BERT (google-research/bert, tokenization.py).
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def normalise(word):
    """A word in lower case, compatibility forms resolved, accents removed."""
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def words_by_piece(words, pieces, lowercase, asked):
    """Cut words into pieces as BERT's tokenizer does, and list them by piece.

    Args:
        words: list of strings. The words.
        pieces: set of strings. The vocabulary.
        lowercase: bool. Whether the tokenizer lower-cases and removes accents.
        asked: container of strings. The pieces to list words for.

    Returns:
        A dict of pieces among `asked` and the indices of the words that have
        the piece in their segmentation, ascending.
    """
    longest = max((len(piece.removeprefix(CONTINUATION)) for piece in pieces), default=0)
    separators = _Separators()
    found = {}
    for index, word in enumerate(words):
        if lowercase:
            word = uncased(word)
        if word in pieces:
            if word in asked:
                _append(found, word, index)
            continue
        plain = word.isascii() and word.isalnum()
        for part in (word,) if plain else word.translate(separators).split():
            for piece in greedy(part, pieces, longest):
                if piece in asked:
                    _append(found, piece, index)
    return found


def words_by_letters(words, asked):
    """List the words that contain any of the given letters in a row.

    Args:
        words: list of strings. The words.
        asked: set of strings. What to look for.

    Returns:
        A dict of strings among `asked` and the indices of the words that
        contain it, ascending.
    """
    alphabet = set().union(*words)
    asked = {letters for letters in asked if letters and alphabet.issuperset(letters)}
    found = {}
    single = {letters for letters in asked if len(letters) == 1}
    if single:
        for index, word in enumerate(words):
            for letter in single.intersection(word):
                found.setdefault(letter, []).append(index)
    # Every part of every word is looked up, so the time does not grow with `asked`.
    for size in sorted({len(letters) for letters in asked - single}):
        for index, word in enumerate(words):
            for start in range(len(word) - size + 1):
                if word[start : start + size] in asked:
                    _append(found, word[start : start + size], index)
    return found


def _append(found, key, index):
    indices = found.setdefault(key, [])
    if not indices or indices[-1] != index:
        indices.append(index)


def uncased(word):
    """A word in lower case, accents removed, as BERT's tokenizer makes it."""
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def is_lowercase(pieces):
    """Whether no piece but the special tokens has a letter in upper case."""
    return all(piece == piece.lower() for piece in pieces if not SPECIAL.fullmatch(piece))


def greedy(part, pieces, longest, prefix=""):
    """Cut what is between spaces into pieces, the longest that matches first.

    Args:
        part: string. What to cut.
        pieces: container of strings. The vocabulary.
        longest: int. The letters of the longest piece, `##` aside.
        prefix: string. `"##"` where the first piece continues a word.

    Returns:
        A list of pieces; empty where a rest has no piece.
    """
    found = []
    start = 0
    while start < len(part):
        for end in range(min(len(part), start + longest), start, -1):
            piece = prefix + part[start:end]
            if piece in pieces:
                break
        else:
            return []
        found.append(piece)
        start = end
        prefix = CONTINUATION
    return found


class _Separators(dict):
    """A table for `str.translate` that sets punctuation and ideographs apart."""

    def __missing__(self, code):
        letter = chr(code)
        alone = (
            unicodedata.category(letter).startswith("P")
            or (code < 128 and not letter.isalnum() and not letter.isspace())
            or any(low <= code <= high for low, high in IDEOGRAPHS)
        )
        self[code] = f" {letter} " if alone else letter
        return self[code]
