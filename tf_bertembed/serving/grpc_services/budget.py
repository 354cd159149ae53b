"""How many bytes of requests are in memory at a time."""

import threading

import grpc


class ByteBudget(grpc.ServerInterceptor):
    """Parses a request only while all that run are within a budget.

    Args:
        most: int. Bytes of messages, as sent.
    """

    def __init__(self, most):
        self._most = most
        self._taken = 0
        self._lock = threading.Lock()

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler

        def answer(data, context):
            if not self._take(len(data)):
                context.abort(
                    grpc.StatusCode.UNAVAILABLE,
                    f"The requests that run hold {self._most} bytes, the most that this server "
                    "takes at a time. Try again.",
                )
            try:
                try:
                    message = handler.request_deserializer(data)
                # Protobuf's own error is not the same class in all its versions.
                except Exception:
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The message cannot be read.")
                return handler.unary_unary(message, context)
            finally:
                self._give_back(len(data))

        # As it came, until there is room for what it becomes.
        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=None, response_serializer=handler.response_serializer
        )

    def _take(self, size):
        with self._lock:
            # One that is larger than the budget is taken alone.
            if self._taken and self._taken + size > self._most:
                return False
            self._taken += size
            return True

    def _give_back(self, size):
        with self._lock:
            self._taken -= size
