"""Bodies of requests, read within the limits."""

import asyncio
import contextlib
import gzip
import io
import zlib

import anyio.to_thread

from tf_bertembed.serving.rest.limits import RefusedError


class BodyReader:
    """Reads bodies, and counts how many bytes of all of them are in memory.

    Args:
        limits: `Limits`.
    """

    def __init__(self, limits):
        self._limits = limits
        self._held = 0

    @contextlib.asynccontextmanager
    async def read(self, request):
        """Hold the body of a request for the time of a block.

        Args:
            request: `starlette.requests.Request`.

        Yields:
            bytearray, decompressed where the request says gzip.

        Raises:
            RefusedError: 400, 408, 413 or 503.
        """
        self._check_declared(request.headers.get("content-length", ""))
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._limits.body_seconds):
                    async for chunk in request.stream():
                        self._take(len(chunk))
                        body += chunk
                        self._check(len(body))
            except TimeoutError:
                raise RefusedError(
                    408,
                    f"The body did not arrive in {self._limits.body_seconds:g} seconds.",
                    {"connection": "close"},
                ) from None
            if "gzip" in request.headers.get("content-encoding", ""):
                made = await anyio.to_thread.run_sync(self._decompress, body)
                self._take(len(made) - len(body))
                body = made
            yield body
        finally:
            self._held -= len(body)

    def _take(self, size):
        if self._held + size > self._limits.buffered_bytes:
            raise RefusedError(503, "The server holds as many requests as it may. Try again later.")
        self._held += size

    def _check_declared(self, declared):
        # The protocol refuses what is no number.
        if declared.isascii() and declared.isdigit():
            self._check(int(declared[:20]))

    def _check(self, size):
        if size > self._limits.body_bytes:
            raise RefusedError(
                413,
                f"The body is larger than {self._limits.body_bytes} bytes, the limit of this "
                "server. Send it in parts.",
            )

    def _decompress(self, body):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as members:
                made = members.read(self._limits.body_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise RefusedError(400, f"The body is not gzip, as its header says: {error}") from None
        self._check(len(made))
        return bytearray(made)
