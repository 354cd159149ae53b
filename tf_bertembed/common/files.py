"""Files that are read with their line numbers and written all or not at all."""

import codecs
import contextlib
import errno
import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path

from tf_bertembed.common.errors import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)

GZIP_MAGIC = b"\x1f\x8b"
# A server's versions are of 64 bits: TensorFlow Serving passes over folders with larger numbers.
LARGEST_NUMBER = 2**63 - 1


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


def _discard(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path, overwrite=False, remedy="Choose another place or remove it first."):
    """Write a file or folder beside its place and rename it when complete.

    The body writes to the path that it is given: a file, or a folder that it
    makes there. Where the body raises, what it wrote is removed and what stood
    at `path` is untouched.

    Args:
        path: string or `pathlib.Path`. The final place.
        overwrite: bool. Whether to replace what stands there.
        remedy: string. What the error for an existing place tells to do.

    Yields:
        The `pathlib.Path` to write to, on the same file system.

    Raises:
        OutputExistsError: where something stands at `path` and `overwrite`
            is False.
        BertEmbedError: where `path` has no name of its own, as `.` and `..`
            have none, or a file stands in the way.

    Example:

    ```python
    from tf_bertembed import common

    with common.atomic_path("metrics.json") as place:
        place.write_text('{"loss": 0.5}')
    assert open("metrics.json").read() == '{"loss": 0.5}'
    ```
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputExistsError(path, remedy)
    if path.name in ("", ".."):
        raise BertEmbedError(
            f"{path} cannot be replaced: the name of a file or folder was expected at its end."
        )
    make_folder(path.parent)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        fresh = holder / path.name
        yield fresh
        if not overwrite:
            _place_new(fresh, path, remedy)
        elif os.path.lexists(path) and (fresh.is_dir() or path.is_dir()):
            # Only a file takes a file's place in one step: set the old one aside.
            aside = Path(tempfile.mkdtemp(dir=holder)) / "replaced"
            os.rename(path, aside)
            try:
                os.rename(fresh, path)
            except BaseException:
                os.rename(aside, path)
                raise
        else:
            os.replace(fresh, path)
    finally:
        _discard(holder)


def _place_new(fresh, path, remedy):
    # What appeared at the place since it was found free belongs to someone else.
    # Neither of these calls replaces it, as renaming a file would.
    try:
        if fresh.is_dir():
            os.rename(fresh, path)
        else:
            os.link(fresh, path)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise OutputExistsError(path, remedy) from error
        raise


def make_folder(path):
    """Make a folder, and those above it, where they are not there yet.

    Args:
        path: string or `pathlib.Path`. The folder.

    Returns:
        The path as `pathlib.Path`.

    Raises:
        BertEmbedError: where a file stands in the way (the message names it).

    Example:

    ```python
    from tf_bertembed import common

    assert common.make_folder("runs/first").is_dir()
    ```
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        blocking = next(place for place in (path, *path.parents) if place.exists())
        raise BertEmbedError(
            f"{blocking} is a file; a folder was expected to make {path}."
        ) from error
    return path


def numbered_folders(folder):
    """List what a folder holds under whole numbers, as versions and runs are.

    Numbers that 64 bits do not hold are passed over, as servers do.

    Args:
        folder: string or `pathlib.Path`. The folder; it may be missing.

    Returns:
        A dict from int to `pathlib.Path`, in the order of the numbers.

    Example:

    ```python
    from tf_bertembed import common

    for name in ("10", "2", "notes"):
        common.make_folder(f"runs/{name}")
    assert list(common.numbered_folders("runs")) == [2, 10]
    ```
    """
    folder = Path(folder)
    entries = folder.iterdir() if folder.is_dir() else ()
    # isdigit alone lets through digits that int does not take, such as "²".
    numbered = {int(e.name): e for e in entries if e.name.isascii() and e.name.isdigit()}
    return {n: entry for n, entry in sorted(numbered.items()) if n <= LARGEST_NUMBER}
