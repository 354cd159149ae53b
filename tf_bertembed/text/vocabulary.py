"""Vocabulary files: one piece a line, the line number is the id."""

import itertools
from collections import Counter
from pathlib import Path

from tf_bertembed import common

UNKNOWN = "[UNK]"
SPECIAL_TOKENS = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
LONGEST_PIECE = 256  # bytes of UTF-8 that the kernel takes, `##` aside
FORMAT = "A vocabulary file is UTF-8 text with one piece a line; the line number is the id."


def check_vocabulary(vocabulary, path=None):
    """Check a list of pieces; with a `path`, errors name the file and line."""

    def fail(problem, index=None):
        if path is not None:
            raise common.FileFormatError(path, problem, None if index is None else index + 1)
        where = "" if index is None else f" (at index {index})"
        raise common.BertEmbedError(f"`vocabulary`: {problem}{where}")

    if not vocabulary:
        fail(f"No piece was found. {FORMAT}")
    for index, piece in enumerate(vocabulary):
        if not isinstance(piece, str):
            fail(f"Pieces must be strings. Received: {piece!r}.", index)
        # Not `strip`: the published Chinese vocabulary has a piece that is U+2028.
        if not piece.strip(" \t\r"):
            fail(f"A piece is blank. {FORMAT}", index)
        if "\n" in piece:
            fail(f"A piece must not hold a line end. Received: {piece!r}.", index)
        if not _fits(piece):
            fail(
                f"A piece must have at most {LONGEST_PIECE} bytes of UTF-8. Received: "
                f"{len(piece.encode('utf-8', 'surrogatepass'))}, beginning with {piece[:20]!r}.",
                index,
            )
    piece, count = Counter(vocabulary).most_common(1)[0]
    if count > 1:
        first = vocabulary.index(piece)
        second = vocabulary.index(piece, first + 1)
        fail(
            f"The piece {piece!r} occurs {count} times, first as id {first} and again as id "
            f"{second}. Every piece needs one id: remove the repetitions.",
            second,
        )
    for token in SPECIAL_TOKENS:
        if token not in vocabulary:
            fail(
                f'Cannot find the special token "{token}" in the vocabulary. Update the '
                f"vocabulary to include {', '.join(SPECIAL_TOKENS)}. Received: "
                f"{len(vocabulary)} pieces, the first of them {vocabulary[:5]}."
            )
    if len(vocabulary) == len(SPECIAL_TOKENS):
        fail(f"There are special tokens only. {FORMAT}")


def load_vocabulary(path):
    """Read a vocabulary file, the `vocab.txt` of the published BERT models.

    Args:
        path: string or `pathlib.Path`. UTF-8 text with one piece a line; may
            be gzipped. The line number, counted from 0, is the piece's id.

    Returns:
        List of strings, the pieces in the order of their ids.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8, has a
            blank line or a repeated piece, or lacks a special token.

    Example:

    ```python
    from tf_bertembed import text

    text.save_vocabulary([*text.SPECIAL_TOKENS, "one", "##s"], "vocab.txt")
    assert text.load_vocabulary("vocab.txt")[5:] == ["one", "##s"]
    ```
    """
    common.require_file(path, FORMAT)
    vocabulary = [line for _, line in common.read_lines(path)]
    check_vocabulary(vocabulary, path)
    return vocabulary


def save_vocabulary(vocabulary, path, overwrite=False):
    """Write a vocabulary file, one piece a line.

    Args:
        vocabulary: list of strings. The pieces in the order of their ids.
        path: string or `pathlib.Path`. The file to write.
        overwrite: bool. Whether to replace a file that is there.

    Raises:
        BertEmbedError: where a piece is blank or repeated, or a special
            token is missing.
        OutputExistsError: where `path` exists and `overwrite` is False.

    Example:

    ```python
    from tf_bertembed import text

    text.save_vocabulary([*text.SPECIAL_TOKENS, "我", "住"], "vocab.txt")
    assert open("vocab.txt", encoding="utf-8").read().split()[-2:] == ["我", "住"]
    ```
    """
    vocabulary = list(vocabulary)
    check_vocabulary(vocabulary)
    with common.atomic_path(path, overwrite=overwrite) as place:
        place.write_bytes("".join(f"{piece}\n" for piece in vocabulary).encode())


def train_vocabulary(texts, vocabulary_size, lowercase=True, min_frequency=2, alphabet_size=1000):
    """Learn a WordPiece vocabulary with the package `tokenizers`.

    Args:
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files.
        vocabulary_size: int. The number of pieces to learn, special tokens
            included; fewer come back where the texts hold no more.
        lowercase: bool. Whether to lower-case text and strip its accents, as
            the tokenizer that uses the vocabulary will.
        min_frequency: int. How often two pieces must meet to be joined, at
            least 0.
        alphabet_size: int. How many different characters to keep, at least 1,
            the most frequent first. Chinese wants about 6000.

    Returns:
        List of strings: `[PAD] [UNK] [CLS] [SEP] [MASK]`, the alphabet, and
        the pieces in the order in which they were learned.

    Raises:
        BertEmbedError: where there is no text, or a number is out of range.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from gensim.test.utils import datapath
    from pathlib import Path
    from tf_bertembed import text

    vocabulary = text.train_vocabulary([Path(datapath("lee_background.cor"))], 1000)
    assert vocabulary[:5] == list(text.SPECIAL_TOKENS)
    assert len(vocabulary) == 1000 and "the" in vocabulary
    ```

    Source:
        The package `tokenizers`, https://github.com/huggingface/tokenizers.
    """
    from tokenizers import BertWordPieceTokenizer

    least = {
        "vocabulary_size": (vocabulary_size, len(SPECIAL_TOKENS) + 1),
        "min_frequency": (min_frequency, 0),
        "alphabet_size": (alphabet_size, 1),
    }
    for name, (value, smallest) in least.items():
        if not common.is_whole(value) or not smallest <= value < 2**31:
            why = f", more than the {len(SPECIAL_TOKENS)} special tokens"
            raise common.BertEmbedError(
                f"`{name}` must be an int of at least {smallest}"
                f"{why if name == 'vocabulary_size' else ''}. Received: {value!r}."
            )
    texts = list(check_several(texts))
    # `tokenizers` numbers the alphabet in the order of a hash table, and its choices between equals
    # follow those numbers. So the alphabet is found first, and given in order as special tokens.
    finder = BertWordPieceTokenizer(lowercase=lowercase)
    everything = 2**31 - 1
    finder.train_from_iterator(
        iterate_lines(texts),
        vocab_size=0,
        limit_alphabet=everything,
        special_tokens=[],
        show_progress=False,
    )
    found = finder.get_vocab()
    lines = iterate_lines(texts)
    characters = {piece for piece in found if len(piece) == 1}
    if not characters:
        raise common.BertEmbedError("`texts` holds no text to learn a vocabulary from.")
    alphabet_size = min(alphabet_size, vocabulary_size - len(SPECIAL_TOKENS))
    if len(characters) > alphabet_size:
        normalize = finder.normalizer.normalize_str
        counts = Counter(itertools.chain.from_iterable(map(normalize, lines)))
        ranked = sorted(characters, key=lambda character: (-counts[character], character))
        characters = set(ranked[:alphabet_size])
        rest = str.maketrans(dict.fromkeys(ranked[alphabet_size:]))
        lines = (normalize(line).translate(rest) for line in iterate_lines(texts))
    alphabet = [piece for piece in found if piece[-1] in characters]
    trainer = BertWordPieceTokenizer(lowercase=lowercase)
    trainer.train_from_iterator(
        lines,
        vocab_size=vocabulary_size,
        min_frequency=min_frequency,
        limit_alphabet=everything,
        special_tokens=[*SPECIAL_TOKENS, *sorted(alphabet, key=lambda piece: (len(piece), piece))],
        show_progress=False,
    )
    ids = trainer.get_vocab()
    # Of a word of thousands of characters, longer pieces are learned than can be found again.
    return [piece for piece in sorted(ids, key=ids.get) if _fits(piece)][:vocabulary_size]


def _fits(piece):
    return len(piece.removeprefix("##").encode("utf-8", "surrogatepass")) <= LONGEST_PIECE


def check_several(texts):
    """Raise where texts are one string or path, else give them back."""
    if isinstance(texts, (str, Path)):
        raise common.BertEmbedError(
            "`texts` must be a list of strings or of `pathlib.Path`s, not one of them. "
            f"Received: {texts!r:.80}."
        )
    return texts


def iterate_lines(texts):
    """Yield texts: strings as they are, and the lines of `pathlib.Path`s."""
    for item in check_several(texts):
        if isinstance(item, Path):
            yield from (line for _, line in common.read_lines(item))
        elif isinstance(item, str):
            yield item
        else:
            raise common.BertEmbedError(
                f"`texts` must hold strings or `pathlib.Path`s. Received: {item!r:.80}."
            )
