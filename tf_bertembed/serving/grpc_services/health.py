"""`grpc.health.v1.Health`, for probes.

Reference: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import grpc
from google.protobuf import wrappers_pb2

SERVICE = "grpc.health.v1.Health"
SERVING, NOT_SERVING = 1, 2


def health_handler(ready):
    """Make the handler of `Check`.

    Args:
        ready: callable that tells whether requests are answered.

    Returns:
        A handler for `grpc.Server.add_generic_rpc_handlers`.
    """

    def check(request, context):
        if request.value not in ("", SERVICE):
            context.abort(grpc.StatusCode.NOT_FOUND, f"There is no service {request.value!r}.")
        return wrappers_pb2.UInt32Value(value=SERVING if ready() else NOT_SERVING)

    # HealthCheckRequest and HealthCheckResponse have one field each, of the
    # number, and of what goes over the wire, that these wrappers have.
    method = grpc.unary_unary_rpc_method_handler(
        check,
        request_deserializer=wrappers_pb2.StringValue.FromString,
        response_serializer=wrappers_pb2.UInt32Value.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {"Check": method})
