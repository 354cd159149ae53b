"""JSON as TensorFlow Serving's parser reads it, and as its error texts show it."""

import json
import math
import re

from tf_bertembed.serving.errors import ServingError

# What RapidJSON, which TensorFlow Serving uses, says where Python's parser says the key.
_PARSE_ERRORS = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Illegal trailing comma before end of array": "Invalid value.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Expecting ',' delimiter": "Missing a comma or the end of the object or array.",
    "Extra data": "The document root must not be followed by other values.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Every escape in turn; the group holds half of a pair that stands alone.
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
# Nothing is tried twice: a string without an end would else take the square of its length.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SHOWN = 1000
_TYPES = {
    type(None): "Null",
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
}


class RepeatedKeys(dict):
    """A JSON object that names a key twice: the first values, as RapidJSON finds them.

    Args:
        pairs: list of tuples of a key and a value, in the order of the text.
    """

    def __init__(self, pairs):
        super().__init__(reversed(pairs))
        self.last = dict(pairs)


def invalid(message):
    """The error of a request that is wrong in itself.

    Args:
        message: string. What TensorFlow Serving says.

    Returns:
        A `ServingError` for the caller to raise.
    """
    return ServingError("INVALID_ARGUMENT", message)


def parse_json(body):
    """Read the JSON object of a request.

    Bytes that are not UTF-8 stay as they are, as RapidJSON leaves them: they
    become surrogates, which `to_bytes` turns back.

    Args:
        body: bytes. The body of the request.

    Returns:
        A dict.

    Raises:
        ServingError: INVALID_ARGUMENT, where `body` is not a JSON object.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    skipped = len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0
    text = (body[skipped:] if skipped else body).decode("utf-8", "surrogateescape")

    def refuse(problem, place):
        offset = skipped + len(to_bytes(text[:place]))
        return invalid(f"JSON Parse error: {problem} at offset: {offset}")

    if not text.strip(" \t\r\n"):
        raise refuse("The document is empty.", len(text))
    try:
        document = json.loads(text, object_pairs_hook=_make_object, parse_float=_make_float)
    except json.JSONDecodeError as error:
        raise refuse(_PARSE_ERRORS.get(error.msg, error.msg), error.pos) from None
    except RecursionError:
        raise invalid("JSON Parse error: Arrays and objects are nested too deeply.") from None
    except ValueError:
        # A float beyond the largest, or an integer of thousands of digits.
        raise invalid("JSON Parse error: Number too big to be stored in double.") from None
    if _HALF_PAIR.search(text):
        for escape in _ESCAPES.finditer(text):
            if escape[1]:
                raise refuse("The surrogate pair in string is invalid.", escape.start())
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {show(document)} Is not object")
    return document


def count_values(body):
    """Count the values of a JSON text, a few too many at most, without making them.

    Args:
        body: bytes.

    Returns:
        int. Where few commas and brackets are in the text, those within its
        strings count too.
    """
    count = _count_separators(body)
    return count if count < 100_000 else _count_separators(_STRINGS.sub(b"", body))


def to_bytes(text):
    """The bytes that a string of a parsed request stood for.

    Args:
        text: string.

    Returns:
        bytes.
    """
    return text.encode("utf-8", "surrogateescape")


def show(value):
    """A JSON value as error texts show it, cut where it is long.

    Args:
        value: what `parse_json` makes.

    Returns:
        A string.
    """
    parts, length = [], 0
    if isinstance(value, str):
        value = value[: _SHOWN + 1]
    for part in json.JSONEncoder(ensure_ascii=False, indent=4).iterencode(value):
        parts.append(part[: _SHOWN + 1])
        length += len(parts[-1])
        if length > _SHOWN:
            break
    shown = "".join(parts)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def json_type(value):
    """What RapidJSON calls the type of a value.

    Args:
        value: what `parse_json` makes.

    Returns:
        A string.
    """
    if isinstance(value, bool):
        return str(value)
    return _TYPES[dict if isinstance(value, dict) else type(value)]


def signature_name(document):
    """The signature that a request asks for.

    Args:
        document: dict. The request.

    Returns:
        A string, empty where the request names none.

    Raises:
        ServingError: INVALID_ARGUMENT, where the name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {show(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def _count_separators(body):
    return 1 + sum(body.count(separator) for separator in (b",", b"[", b"{"))


def _make_object(pairs):
    made = dict(pairs)
    return made if len(made) == len(pairs) else RepeatedKeys(pairs)


def _make_float(text):
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
