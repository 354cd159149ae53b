"""Vocabulary files: one piece a line, the line number is the id."""

from collections import Counter

from tf_bertembed import common

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
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
        if not piece.strip():
            fail(f"A piece is blank. {FORMAT}", index)
        if "\n" in piece:
            fail(f"A piece must not hold a line end. Received: {piece!r}.", index)
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
