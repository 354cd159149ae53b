"""The bytes of a binary file, mapped where they are not packed."""

import contextlib
import gzip
import mmap
import zlib

from tf_bertembed import common


@contextlib.contextmanager
def open_buffer(path):
    """Give the content of a file without reading it, or unpacked where it is gzip.

    Args:
        path: string or `pathlib.Path`. The file.

    Yields:
        `mmap.mmap` or bytes.
    """
    with common.open_bytes(path) as file:
        if isinstance(file, gzip.GzipFile):
            try:
                content = file.read()
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise common.FileFormatError(path, f"The gzip data is broken: {error}") from error
            yield content
            return
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            yield mapped
        finally:
            # Arrays that an error still shows hold it open; it ends with them.
            with contextlib.suppress(BufferError):
                mapped.close()
