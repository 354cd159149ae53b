"""Files that are read with their line numbers."""

import codecs
import gzip
import zlib
from pathlib import Path

from tf_bertembed.common.errors import FileFormatError, MissingFileError

GZIP_MAGIC = b"\x1f\x8b"


def require_file(path, purpose=""):
    """Check that a path is a readable, non-empty file.

    Args:
        path: string or `pathlib.Path`. The file.
        purpose: string. What the file is for, shown where it is missing.

    Returns:
        The path as `pathlib.Path`.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where `path` is a folder or an empty file.

    Example:

    ```python
    from tf_bertembed import common

    with open("corpus.txt", "w") as file:
        file.write("One sentence.")
    assert common.require_file("corpus.txt").name == "corpus.txt"
    ```
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(path, purpose)
    if path.is_dir():
        raise FileFormatError(path, f"A file was expected, this is a folder. {purpose}".rstrip())
    if path.stat().st_size == 0:
        raise FileFormatError(path, f"The file is empty. {purpose}".rstrip())
    return path


def open_bytes(path):
    """Open a file for reading bytes, unpacking gzip where its content is gzip.

    Args:
        path: string or `pathlib.Path`. The file.

    Returns:
        A binary file object.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where `path` is a folder or an empty file.

    Example:

    ```python
    import gzip
    from tf_bertembed import common

    with gzip.open("corpus.txt.gz", "wb") as file:
        file.write(b"One sentence.")
    with common.open_bytes("corpus.txt.gz") as file:
        assert file.read() == b"One sentence."
    ```
    """
    path = require_file(path)
    with open(path, "rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return gzip.open(path, "rb") if packed else open(path, "rb")


def read_blocks(path, block_bytes=1 << 24):
    """Read text in large blocks of whole lines, gzipped or not.

    For files of which the lines are too many to look at one by one. The bytes
    are not decoded; a byte order mark at the start is passed over.

    Args:
        path: string or `pathlib.Path`. The file.
        block_bytes: int. About how many bytes to a block; a longer line is
            still kept whole.

    Yields:
        Pairs of an int, the number of the block's first line counted from 1,
        and bytes that end where a line ends.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the file is empty, binary (holds a NUL byte),
            or gzip that is broken.

    Example:

    ```python
    from tf_bertembed import common

    with open("corpus.txt", "wb") as file:
        file.write(b"one\\ntwo\\nthree")
    blocks = common.read_blocks("corpus.txt", block_bytes=9)
    assert list(blocks) == [(1, b"one\\ntwo\\n"), (3, b"three")]
    ```
    """
    with open_bytes(path) as file:
        number = 1
        held = []
        fresh = None
        try:
            while fresh != b"":
                fresh = file.read(block_bytes)
                if b"\x00" in fresh:
                    number += fresh.count(b"\n", 0, fresh.index(b"\x00"))
                    raise FileFormatError(
                        path, "Text was expected, this is a binary file (NUL byte).", number
                    )
                if number == 1 and not held:
                    fresh = fresh.removeprefix(codecs.BOM_UTF8)
                end = fresh.rfind(b"\n") + 1
                if fresh and not end:
                    held.append(fresh)
                    continue
                block = b"".join((*held, fresh[:end]))
                held = [fresh[end:]]
                if block:
                    yield number, block
                    number += block.count(b"\n")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError(path, f"The gzip data is broken: {error}") from error


def read_lines(path):
    """Read UTF-8 text line by line, gzipped or not, with line numbers.

    Lines end at `\\n` or `\\r\\n` only, so a line number is what `sed -n Np`
    shows. A byte order mark at the start is passed over.

    Args:
        path: string or `pathlib.Path`. The file.

    Yields:
        Pairs of an int, counted from 1, and a string without its line end.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the file is empty, binary (holds a NUL byte),
            not UTF-8 (with the line), or gzip that is broken.

    Example:

    ```python
    from tf_bertembed import common

    with open("corpus.txt", "wb") as file:
        file.write("Café.\\r\\n我住".encode())
    assert list(common.read_lines("corpus.txt")) == [(1, "Café."), (2, "我住")]
    ```
    """
    for first, block in read_blocks(path, block_bytes=1 << 20):
        for number, line in enumerate(block.removesuffix(b"\n").split(b"\n"), start=first):
            yield number, decode_line(path, number, line.removesuffix(b"\r"))


def decode_line(path, number, line):
    """Decode one line as UTF-8, or say where it is not.

    Args:
        path: string or `pathlib.Path`. The file that the line comes from.
        number: int. The line, counted from 1.
        line: bytes. What it holds.

    Returns:
        A string.

    Raises:
        FileFormatError: where the line is not UTF-8, with line and column.

    Example:

    ```python
    from tf_bertembed import common

    assert common.decode_line("corpus.txt", 1, b"caf\\xc3\\xa9") == "café"
    ```
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            path,
            f"UTF-8 text was expected, byte 0x{line[error.start]:02x} at column "
            f"{error.start + 1} is not UTF-8. Convert the file, for example with iconv.",
            number,
        ) from error
