"""What one client may ask of a server, so that no client can exhaust it."""

import dataclasses

from tf_bertembed.common import BertEmbedError


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of the REST API.

    Args:
        body_bytes: int. The largest body, as sent and decompressed; more is
            answered with 413.
        buffered_bytes: int. The most bytes of bodies in memory at a time;
            what comes on top is answered with 503.
        rows: int. The most rows of a request; more is answered with 400.
        values: int. The most strings, numbers, lists and objects in a body,
            since each takes far more memory than it has bytes; more is
            answered with 400.
        answer_values: int. The most strings and numbers of an answer, whose
            outputs may be as wide as the longest text in every row; more is
            answered with 400, by gRPC with RESOURCE_EXHAUSTED.
        header_seconds: float. How long a client may take to send the head of
            a request; the connection is closed then.
        body_seconds: float. How long a client may take to send a body; more
            is answered with 408.
        write_seconds: float. How long a client may read nothing of an
            answer; the connection is closed then.
        run_seconds: float. How long a model may take for a request; more is
            answered with 504. `None` for no limit.
        threads: int. The requests that are read, run and written at a time.

    Raises:
        BertEmbedError: where a bound is not positive.
    """

    body_bytes: int = 64 * 2**20
    buffered_bytes: int = 256 * 2**20
    rows: int = 4096
    values: int = 4_000_000
    answer_values: int = 8_000_000
    header_seconds: float = 10
    body_seconds: float = 60
    write_seconds: float = 30
    run_seconds: float | None = 300
    threads: int = 64

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None and value <= 0:
                raise BertEmbedError(f"`{field.name}` must be positive. Received: {value}.")


class RefusedError(Exception):
    """A request that HTTP itself has a status for; gRPC has no code for these.

    Args:
        status: int. The status of the answer.
        message: string. What the client is told.
        headers: dict. More headers of the answer.
    """

    def __init__(self, status, message, headers=None):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}
