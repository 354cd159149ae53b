"""The lines of a file of any size, of which a bad one does not end the reading."""

from tf_bertembed.common import FileFormatError, open_bytes
from tf_bertembed.text.raw_lines import LONGEST, raw_lines, telling_gzip

HEAD = 8192


class Lines:
    """The lines of a file, gzipped or not, as bytes.

    Cut as by `text/raw_lines.py`.

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
        with telling_gzip(self.path):
            head = self._file.peek(HEAD)[:HEAD]
        if b"\x00" in head:
            raise FileFormatError(self.path, "Text was expected, this is a binary file (NUL byte).")
        yield from raw_lines(self._file, self.path, LONGEST)
