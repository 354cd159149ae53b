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
    # Outside the block below: the errors of reading are ValueErrors of their own.
    written = "\n".join(line for _, line in read_lines(path))
    try:
        content = json.loads(written)
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"JSON was expected: {error.msg}.", error.lineno) from error
    except RecursionError as error:
        raise FileFormatError(path, "The JSON is nested too deeply to be read.") from error
    except ValueError as error:
        # Python itself reads no whole number of thousands of digits.
        raise FileFormatError(path, f"A number in the JSON cannot be read: {error}.") from error
    if not isinstance(content, kind):
        expected = "list" if kind is list else "object"
        raise FileFormatError(
            path, f"A JSON {expected} was expected. Received: a {type(content).__name__}."
        )
    return content
