"""Which words a piece of a WordPiece vocabulary is a part of."""

import re
import unicodedata

import numpy as np
from scipy import sparse

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
    """A word in lower case, compatibility forms resolved, accents removed.

    What begins with `##` keeps that, and accents that stand alone stay: they
    have no letter, and would all be the same.
    """
    if word.isascii():
        return word.lower()
    letters = word.removeprefix(CONTINUATION)
    head = word[: len(word) - len(letters)]
    parts = unicodedata.normalize("NFKD", letters.lower())
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    # NFKD writes an accent that stands alone, such as U+00B4, as a space and the accent.
    return head + (bare.strip() or letters)


class Cutter:
    """Cuts words into the pieces of a vocabulary, as BERT's tokenizer does.

    Args:
        vocabulary: list of V strings. The pieces, in the order of their ids.
            Words lose their case and accents where no piece has a letter in
            upper case. Special tokens are no part of any word.
    """

    def __init__(self, vocabulary):
        self.size = len(vocabulary)
        self.lowercase = is_lowercase(vocabulary)
        self._starts, self._continuations = {}, {}
        for row, piece in enumerate(vocabulary):
            if SPECIAL.fullmatch(piece):
                continue
            self._starts[piece] = row
            if piece.startswith(CONTINUATION):
                self._continuations[piece.removeprefix(CONTINUATION)] = row
        self._longest = max(map(len, (*self._starts, *self._continuations)), default=0)
        self._separators = _Separators()

    def cut(self, letters, inside=False):
        """Cut what is between spaces into pieces, the longest that matches first.

        Args:
            letters: string. What to cut, in the case of the vocabulary.
            inside: bool. Whether the first piece continues a word.

        Returns:
            A list of ids; empty where a rest has no piece.
        """
        found = []
        start, size = 0, len(letters)
        table = self._continuations if inside else self._starts
        while start < size:
            for end in range(min(size, start + self._longest), start, -1):
                row = table.get(letters[start:end])
                if row is not None:
                    break
            else:
                return []
            found.append(row)
            start = end
            table = self._continuations
        return found

    def cut_word(self, word):
        """Cut a word, which may hold punctuation, as the tokenizer cuts a text.

        Args:
            word: string. The word.

        Returns:
            A list of ids; nothing for the parts that have no pieces.
        """
        if self.lowercase:
            word = uncased(word)
        row = self._starts.get(word)
        if row is not None:
            return [row]
        if word.isascii() and word.isalnum():
            return self.cut(word)
        return [row for part in word.translate(self._separators).split() for row in self.cut(part)]

    def segmentation(self, words):
        """Count the pieces of each word.

        Args:
            words: list of W strings. The words.

        Returns:
            A sparse CSR array `[W, V]`, float32: how often each piece occurs
            in each word.
        """
        columns, ends = [], np.zeros(len(words) + 1, np.int64)
        for index, word in enumerate(words, start=1):
            columns += self.cut_word(word)
            ends[index] = len(columns)
        ones = np.ones(len(columns), np.float32)
        found = sparse.csr_array(
            (ones, np.array(columns, np.int64), ends), shape=(len(words), self.size)
        )
        found.sum_duplicates()
        return found


def words_by_letters(words, asked):
    """List the words that contain any of the given letters in a row.

    Args:
        words: list of strings. The words; none has a line end in it.
        asked: set of strings. What to look for.

    Returns:
        A dict of strings among `asked` and the indices of the words that
        contain it, ascending.
    """
    text = "\n".join(words)
    alphabet = set(text)
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    found = {}
    for letters in asked:
        if not letters or not alphabet.issuperset(letters):
            continue
        places = []
        place = text.find(letters)
        while place >= 0:
            places.append(place)
            place = text.find(letters, place + 1)
        if places:
            found[letters] = np.unique(np.searchsorted(starts, places, side="right") - 1)
    return found


def uncased(word):
    """A word in lower case, accents removed, as BERT's tokenizer makes it."""
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def is_lowercase(pieces):
    """Whether no piece but the special tokens has a letter in upper case."""
    return all(piece == piece.lower() for piece in pieces if not SPECIAL.fullmatch(piece))


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
