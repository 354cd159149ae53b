"""HTTP/1.1 with patience that ends: uvicorn's protocol, for clients that are slow or leave."""

import functools
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol, which waits no longer than the limits say.

    A connection is closed where the head of a request takes too long, where a
    client reads nothing of its answer, and where it goes on sending a body
    that was answered already. A client that closes its sending half after the
    request still gets its answer, as RFC 9112 has it; uvicorn drops it
    (https://github.com/encode/uvicorn/issues/1264).

    Args:
        limits: `Limits`.
        config: `uvicorn.Config`.
        server_state: `uvicorn.server.ServerState`.
        app_state: dict.
    """

    @classmethod
    def within(cls, limits):
        """What `uvicorn.Config(http=…)` takes.

        Args:
            limits: `Limits`.

        Returns:
            A class.
        """
        # uvicorn asks for a class; each server may have other limits.
        return type(
            cls.__name__, (cls,), {"__init__": functools.partialmethod(cls.__init__, limits)}
        )

    def __init__(self, limits, config, server_state, app_state, _loop=None):
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._patience = self._awaited = None
        self._stalled = None

    def connection_made(self, transport):
        super().connection_made(transport)
        # asyncio sets it for sockets that it made itself. Without it the body of an answer
        # waits some 40 ms until the client acknowledges the head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait("head", self._limits.header_seconds)

    def connection_lost(self, exc):
        self._wait(None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data):
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.conn.their_state is not h11.IDLE:
            if self.cycle is not None and not self.cycle.response_complete:
                self._wait(None)
        elif not self.conn.trailing_data[0]:
            # The rest of a body is through; uvicorn's own timer was reset by it.
            self._wait("request", self.timeout_keep_alive)
        elif self._awaited != "head":
            self._wait("head", self._limits.header_seconds)

    def on_response_complete(self):
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is h11.SEND_BODY:
            # What is still sent is read and thrown away, so that the answer arrives.
            self._wait("body", self._limits.body_seconds)

    def eof_received(self):
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and not self.cycle.more_body:
            self.cycle.keep_alive = False
            return True
        return None

    def pause_writing(self):
        super().pause_writing()
        self._stalled = self.loop.call_later(self._limits.write_seconds, self.transport.abort)

    def resume_writing(self):
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _wait(self, awaited, seconds=None):
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._awaited = awaited
        if awaited is not None:
            self._patience = self.loop.call_later(seconds, self.transport.abort)
