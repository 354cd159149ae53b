"""JSON objects and lists in files."""

import json

from tf_bertembed.common.errors import FileFormatError
from tf_bertembed.common.files import read_lines, require_file


def read_json(path, purpose="", kind=dict):
    """Read a JSON object, or a list, from a file, gzipped or not.

    Args:
        path: string or `pathlib.Path`. The file, in UTF-8.
        purpose: string. What the file is for, shown where it is missing.
        kind: type. What the file must hold: `dict`, or `list`.

    Returns:
        A dict or a list, as `kind` says.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the file is empty, binary, not UTF-8 or not
            JSON (with the line), is nested too deeply, has a whole number of
            thousands of digits, or holds other than one of `kind`.

    Example:

    ```python
    from tf_bertembed import common

    with open("config.json", "w") as file:
        file.write('{"hidden_size": 8}')
    assert common.read_json("config.json") == {"hidden_size": 8}
    ```
    """
    path = require_file(path, purpose)
    content = parse_json("\n".join(line for _, line in read_lines(path)), path)
    if not isinstance(content, kind):
        expected = "list" if kind is list else "object"
        raise FileFormatError(
            path, f"A JSON {expected} was expected. Received: a {type(content).__name__}."
        )
    return content


def parse_json(written, path, line=None):
    """Parse what a file, or a line of it, holds.

    Args:
        written: string. The JSON.
        path: string or `pathlib.Path`. The file, for messages.
        line: int. The line, where `written` is one; `None` for the whole file.

    Returns:
        What the JSON says.

    Raises:
        FileFormatError: where it is not JSON, is nested too deeply, or has a
            whole number of thousands of digits.

    Example:

    ```python
    from tf_bertembed import common

    assert common.parse_json('{"label": "good"}', "train.jsonl", 1) == {"label": "good"}
    ```
    """
    try:
        return json.loads(written)
    except json.JSONDecodeError as error:
        problem = f"JSON was expected: {error.msg}."
        raise FileFormatError(path, problem, line or error.lineno) from error
    except RecursionError as error:
        raise FileFormatError(path, "The JSON is nested too deeply to be read.", line) from error
    except ValueError as error:
        # Python itself reads no whole number of thousands of digits.
        problem = f"A number in the JSON cannot be read: {error}."
        raise FileFormatError(path, problem, line) from error
