"""Responses that a slow reader cannot make the server hold as a whole twice."""

from starlette.responses import Response

_CHUNK = 256 * 1024
SAFE_HEADERS = {"x-content-type-options": "nosniff"}


class ChunkedResponse(Response):
    """A response written piece by piece, each when the one before is on its way."""

    async def __call__(self, scope, receive, send):
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        view = memoryview(self.body)
        for begin in range(0, max(len(view), 1), _CHUNK):
            more = begin + _CHUNK < len(view)
            part = bytes(view[begin : begin + _CHUNK])
            await send({"type": "http.response.body", "body": part, "more_body": more})


class JsonResponse(ChunkedResponse):
    """Bytes that are JSON."""

    media_type = "application/json"

    def __init__(self, content, status_code=200, headers=None):
        super().__init__(content, status_code, {**SAFE_HEADERS, **(headers or {})})


class TextResponse(ChunkedResponse):
    """Plain text."""

    media_type = "text/plain"

    def __init__(self, content, status_code=200, media_type=None):
        super().__init__(content, status_code, SAFE_HEADERS, media_type)
