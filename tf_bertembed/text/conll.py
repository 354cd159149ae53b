"""Readers of tagged words: CoNLL columns and CoNLL-U; errors name the file and the line."""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

from tf_bertembed import common
from tf_bertembed.text.labelled import TARGETS
from tf_bertembed.text.tag_schemes import detect_scheme, scheme_faults

DOCUMENT = "-DOCSTART-"
UNIVERSAL = ".conllu"
FIELDS = 10  # of a row of CoNLL-U
COLUMNS = {"upos": 3, "xpos": 4}
WORD_ID = re.compile(r"[1-9][0-9]*")
# A range of words that are written as one ("19-20"), a word that is not written ("8.1").
PASSED_OVER = re.compile(r"[0-9]+[-.][0-9]+")
MISSING = "_"
# Of the columns of tables, which have no place in CoNLL.
NAMES = {"text", "text_a", "text_b", *TARGETS}
SHOWN = 3  # faults of a file that a warning tells


def read_tagged(path, column=None, labelled=True, known=None):
    """Read sentences of words and their tags.

    A file with the suffix `.conllu` (or `.conllu.gz`) is CoNLL-U: ten columns
    with tabs between, of which the second is the word; ranges of words
    (`19-20`), words that are not written (`8.1`) and comments are passed over.
    Any other file is CoNLL: columns with tabs or spaces between, the first
    the word and the last the tag; lines of `-DOCSTART-` are passed over. In
    both a blank line ends a sentence. Tags of entities are checked against
    the scheme that they follow (see `detect_scheme`); where one cannot stand
    where it stands, a warning names the first lines.

    Args:
        path: string or `pathlib.Path`. The file, gzipped or not.
        column: string. Which column of CoNLL-U holds the tag: `"upos"` or
            `"xpos"`. `None` for `"upos"`, and for CoNLL, where it is the last.
        labelled: bool. Whether tags must be there. Without, a CoNLL file of
            one column holds words alone.
        known: collection of strings. The tags that may occur; `None` for any.

    Returns:
        A pair. The words: a list of lists of strings, a sentence each. The
        tags: lists of strings of the same lengths; `None` where the file has
        none.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8, or a
            row has another number of columns than it should, no word or no
            tag, or a tag that is not known, with the line; or where tags of
            entities are of no one scheme.
        BertEmbedError: where `column` is not one of these, or is given for a
            file that is not CoNLL-U.

    Example:

    ```python
    from tf_bertembed import text

    with open("train.conll", "w", encoding="utf-8") as file:
        file.write("Ada B-PER\\nLovelace I-PER\\nwrote O\\n\\n北 B-LOC\\n京 I-LOC\\n")
    words, tags = text.read_tagged("train.conll")
    assert words == [["Ada", "Lovelace", "wrote"], ["北", "京"]]
    assert tags == [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC"]]
    ```

    References:
        https://universaldependencies.org/format.html
    """
    found = read_tagged_rows(path, column, labelled, known)
    return found.words, found.tags


class TaggedRows(NamedTuple):
    """Sentences of a file.

    Attributes:
        words: list of lists of strings.
        tags: list of lists of strings, or `None`.
        lines: list of ints. The line of each sentence's first word.
    """

    words: list
    tags: list | None
    lines: list


def is_universal(path):
    """Whether a file is CoNLL-U, by its name."""
    path = Path(path)
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower() == UNIVERSAL


def read_tagged_rows(path, column=None, labelled=True, known=None):
    """Read what `read_tagged` reads, with the lines: `TaggedRows`."""
    path = Path(path)
    universal = is_universal(path)
    if column is not None and (column not in COLUMNS or not universal):
        raise common.BertEmbedError(
            f"`column` must be one of {', '.join(COLUMNS)}, for a file with the suffix "
            f"{UNIVERSAL}. Received: {column!r} for {path}."
        )
    rows = _universal_rows(path, COLUMNS[column or "upos"]) if universal else _rows(path, labelled)
    words, tags, lines = [], [], []
    ended = True
    for line, row in rows:
        if row is None:
            ended = True
            continue
        if ended:
            words.append([])
            tags.append([])
            lines.append([])
            ended = False
        word, tag = row
        if known is not None and tag is not None and tag not in known:
            raise common.FileFormatError(
                path, f"The tag {tag!r} is not known. Known: {_some(known)}.", line
            )
        words[-1].append(word)
        tags[-1].append(tag)
        lines[-1].append(line)
    if not words:
        raise common.FileFormatError(path, "Words with tags were expected; there are none.")
    first_lines = [row[0] for row in lines]
    if tags[0][0] is None:
        return TaggedRows(words, None, first_lines)
    _check_scheme(path, tags, lines)
    return TaggedRows(words, tags, first_lines)


def _check_scheme(path, tags, lines):
    try:
        scheme = detect_scheme(tags)
    except common.BertEmbedError as error:
        raise common.FileFormatError(path, str(error)) from error
    faults = list(scheme_faults(tags, scheme)) if scheme else []
    if faults:
        shown = [
            f"line {lines[sentence][place]}: {problem}"
            for sentence, place, problem in faults[:SHOWN]
        ]
        warnings.warn(
            f"{path}: {len(faults)} of {sum(map(len, tags))} tags cannot stand where they stand; "
            f"they are taken as seqeval takes them. {' '.join(shown)}",
            stacklevel=4,
        )


def _rows(path, labelled):
    """Lines with (word, tag), or with `None` where a sentence ends."""
    expected = None
    for line, content in common.read_lines(path):
        content = content.strip(" \t")
        # A word may hold a space only where tabs divide the columns.
        columns = content.split("\t") if "\t" in content else re.split(" +", content)
        if not content or columns[0] == DOCUMENT:
            yield line, None
            continue
        if expected is None:
            expected = len(columns)
            if len(NAMES.intersection(columns)) > 1:
                raise common.FileFormatError(
                    path,
                    "A word and its tag were expected in each row. Received the header of a "
                    f"table: {', '.join(columns)}.",
                    line,
                )
        if labelled and len(columns) == 1:
            raise common.FileFormatError(
                path,
                "A word and its tag were expected, with a tab or a space between. "
                f"Received: {content!r:.80}.",
                line,
            )
        if len(columns) != expected:
            raise common.FileFormatError(
                path,
                f"{expected} columns were expected, as in the rows above. Received: "
                f"{len(columns)}: {content!r:.80}.",
                line,
            )
        word, tag = columns[0].strip(" "), columns[-1].strip(" ")
        if not word or not tag:
            raise common.FileFormatError(
                path, f"A word or its tag is empty. Received: {content!r:.80}.", line
            )
        yield line, (word, tag if expected > 1 else None)


def _universal_rows(path, column):
    expected = 1
    for line, content in common.read_lines(path):
        if not content.strip():
            expected = 1
            yield line, None
            continue
        if content.startswith("#"):
            continue
        fields = content.split("\t")
        if len(fields) != FIELDS:
            raise common.FileFormatError(
                path,
                f"A row of CoNLL-U has {FIELDS} columns with tabs between. Received: "
                f"{len(fields)}: {content!r:.80}.",
                line,
            )
        number, word, tag = fields[0], fields[1], fields[column]
        if PASSED_OVER.fullmatch(number):
            continue
        if not WORD_ID.fullmatch(number) or int(number) != expected:
            raise common.FileFormatError(
                path,
                f"The number of a word must be {expected} here, one more than the word's "
                f"before. Received: {number!r:.40}.",
                line,
            )
        expected += 1
        if not word.strip() or tag.strip() in ("", MISSING):
            raise common.FileFormatError(
                path,
                f"The word {word!r:.40} has no tag in column {column + 1}."
                if word.strip()
                else "The word in column 2 is empty.",
                line,
            )
        yield line, (word, tag.strip())


def _some(tags):
    shown = sorted(tags)
    return ", ".join(shown[:10]) + (", ..." if len(shown) > 10 else "")
