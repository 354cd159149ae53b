"""Texts and pairs of texts with their labels; errors name the file and the line."""

import dataclasses
import math
from pathlib import Path

from tf_bertembed import common
from tf_bertembed.text.surrogates import half_pair
from tf_bertembed.text.tables import read_rows

TARGETS = ("label", "labels", "score")
BETWEEN_LABELS = "|"


@dataclasses.dataclass(frozen=True)
class LabelledTexts:
    """What a data file of texts holds, in columns.

    Args:
        texts: tuple of one or two lists of N strings.
        targets: list of N strings, lists of strings or floats, as the column
            is `label`, `labels` or `score`; `None` where there is none.
        column: string. The name of the column of the targets, or `None`.
        lines: list of N ints. Where each row starts.
    """

    texts: tuple
    targets: list | None
    column: str | None
    lines: list


def read_labelled_rows(path, labelled=True, targets=TARGETS):
    """Read texts, or pairs of texts, with their labels and the lines where they stand.

    Args:
        path: string or `pathlib.Path`. The file, as `read_labelled` takes it.
        labelled: bool. Whether one of the targets must be there.
        targets: tuple of strings. The columns to look for, the first found is read.

    Returns:
        A `LabelledTexts`.

    Raises:
        MissingFileError, FileFormatError: as `read_labelled` does.
    """
    path = Path(path)
    texts = target = None
    columns, lines = {}, []

    def check_header(line, names):
        _columns(path, line, names, labelled, targets)

    for line, row in read_rows(path, check_header):
        if texts is None:
            texts, target = _columns(path, line, row, labelled, targets)
            columns = {name: [] for name in (*texts, *([target] if target else []))}
        for name, values in columns.items():
            values.append(_value(path, line, row, name))
        lines.append(line)
    if texts is None:
        raise common.FileFormatError(path, "No row was found below the header.")
    found = tuple(columns[name] for name in texts)
    return LabelledTexts(found, columns.get(target), target, lines)


def read_labelled(path, labelled=True):
    """Read texts, or pairs of texts, and their labels or scores.

    The file is TSV (`.tsv`; a tab always ends a column, and quotes are text
    but for a column in quotes whose inner quotes are all doubled), CSV
    (`.csv`; quoting as in RFC 4180) or JSON lines (`.jsonl`, `.ndjson`,
    `.json`), gzipped or not (`.gz` after the other suffix). Columns are found
    by their names: `text`, or `text_a` and `text_b`; `label`, `labels` or
    `score`; others are passed over, and so are blank lines.

    `labels` holds any number of labels for a text, none too: a list in JSON
    lines, names with `|` between them in TSV and CSV.

    Args:
        path: string or `pathlib.Path`. The file.
        labelled: bool. Whether `label`, `labels` or `score` must be there.

    Returns:
        A pair. The texts: a list of strings, or for pairs a tuple of two such
        lists. The labels: a list of strings from `label`, a list of lists of
        strings from `labels`, a list of floats from `score`, or `None` where
        the file has none of them.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8, lacks
            rows or columns, or has an empty text or label, one label twice,
            or a score that is not a number; with the line.

    Example:

    ```python
    from tf_bertembed import text

    with open("train.tsv", "w", encoding="utf-8") as file:
        file.write("text\\tlabel\\nA fine \\"film\\".\\tgood\\n太差了\\tbad\\n")
    texts, labels = text.read_labelled("train.tsv")
    assert texts == ['A fine "film".', "太差了"] and labels == ["good", "bad"]
    with open("topics.tsv", "w") as file:
        file.write("text\\tlabels\\nA match.\\tsport|health\\nNothing.\\t\\n")
    assert text.read_labelled("topics.tsv")[1] == [["sport", "health"], []]
    ```
    """
    found = read_labelled_rows(path, labelled)
    return found.texts[0] if len(found.texts) == 1 else found.texts, found.targets


def _columns(path, line, names, labelled, targets):
    pair = "text_a" in names and "text_b" in names
    target = next((name for name in targets if name in names), None)
    quoted = [f"`{name}`" for name in targets]
    wanted = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
    if not pair and "text" not in names:
        problem = "The column `text` is missing."
    elif labelled and target is None:
        problem = f"The column {wanted} is missing."
    else:
        return (("text_a", "text_b") if pair else ("text",)), target
    raise common.FileFormatError(
        path,
        f"{problem} A header with `text`, or `text_a` and `text_b`, and with {wanted} is "
        f"expected. Received: {', '.join(names)}.",
        line,
    )


def _value(path, line, row, name):
    value = row.get(name)
    if name == "score":
        return _score(path, line, value)
    if name == "labels":
        return _labels(path, line, value)
    return _label(path, line, value) if name == "label" else _text(path, line, value, name)


def _score(path, line, value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise common.FileFormatError(path, f"`score` must be a number. Received: {value!r}.", line)
    return number


def _label(path, line, value, name="label"):
    return _text(path, line, str(value) if isinstance(value, (int, bool)) else value, name).strip()


def _labels(path, line, value):
    if isinstance(value, str):
        value = value.split(BETWEEN_LABELS) if value.strip() else []
    if not isinstance(value, list):
        raise common.FileFormatError(
            path, f"`labels` must be a list of names. Received: {value!r}.", line
        )
    names = [_label(path, line, one, "each of `labels`") for one in value]
    if len(set(names)) < len(names):
        raise common.FileFormatError(
            path, f"`labels` must name a label once. Received: {names}.", line
        )
    return names


def _text(path, line, value, name):
    name = name if name.startswith("each") else f"`{name}`"
    if not isinstance(value, str) or not value.strip():
        raise common.FileFormatError(
            path, f"{name} must be a string that is not empty. Received: {value!r}.", line
        )
    half = half_pair(value)
    if half is not None:
        raise common.FileFormatError(
            path,
            f"{name} must be text. Received: {half}.",
            line,
        )
    return value
