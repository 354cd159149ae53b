"""The lines of a file as bytes, of which a bad one does not end the reading."""

import codecs
import contextlib
import gzip
import itertools
import zlib

from tf_bertembed.common import FileFormatError

# What one line may take of memory; a file that is no text may have no line end at all.
LONGEST = 1 << 24


def raw_lines(file, path, longest=LONGEST):
    """Read lines that end at `\\n` or `\\r\\n`; a byte order mark is passed over.

    As `common.read_lines`, which raises at the first line that is not UTF-8.

    Args:
        file: binary file at its beginning, unpacked where it was gzip.
        path: string or `pathlib.Path`. What to call it in messages.
        longest: int. The most bytes of a line, its end aside.

    Yields:
        Pairs of the number of a line, from 1, and its bytes; `None` in the
        place of a longer one.

    Raises:
        FileFormatError: where it is broken gzip.
    """
    mark = codecs.BOM_UTF8
    with telling_gzip(path):
        for number in itertools.count(1):
            line = file.readline(longest + 2)
            if not line:
                return
            if len(line) > longest and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = file.readline(longest)
                yield number, None
            else:
                yield number, line.removeprefix(mark).removesuffix(b"\n").removesuffix(b"\r")
            mark = b""


@contextlib.contextmanager
def telling_gzip(path):
    """Have it told as a `FileFormatError` where gzip that is read within is broken."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(path, f"The gzip data is broken: {error}") from error


def endless(longest=LONGEST):
    """What to say of a line that is longer."""
    return f"The line is longer than {longest} bytes."
