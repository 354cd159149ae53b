"""The lines of a file of any size, of which a bad one does not end the reading."""

import codecs
import gzip
import zlib

from tf_bertembed.common import FileFormatError, open_bytes

# What one line may take of memory; a file that is no text may have no line end at all.
LONGEST = 1 << 24
HEAD = 8192


class Lines:
    """The lines of a file, gzipped or not, as bytes.

    They end at `\\n` or `\\r\\n`; a byte order mark is passed over, as in
    `common.read_lines`, which raises at the first line that is not UTF-8.

    Args:
        path: string or `pathlib.Path`. The file.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where it is empty; when lines are read, where it is
            binary or broken gzip.
    """

    def __init__(self, path):
        self.path = path
        self._file = open_bytes(path)

    def close(self):
        """Close the file."""
        self._file.close()

    @property
    def position(self):
        """How many bytes of the file were read, packed ones where it is gzip."""
        return getattr(self._file, "fileobj", self._file).tell()

    def __iter__(self):
        """Yield pairs of the number of a line, from 1, and its bytes: `None` for an endless one."""
        try:
            if b"\x00" in self._file.peek(HEAD)[:HEAD]:
                raise FileFormatError(
                    self.path, "Text was expected, this is a binary file (NUL byte)."
                )
            yield from enumerate(self._lines(), start=1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError(self.path, f"The gzip data is broken: {error}") from error

    def _lines(self):
        mark = codecs.BOM_UTF8
        while line := self._file.readline(LONGEST + 2):
            if len(line) > LONGEST and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = self._file.readline(LONGEST)
                yield None
            else:
                yield line.removeprefix(mark).removesuffix(b"\n").removesuffix(b"\r")
            mark = b""
