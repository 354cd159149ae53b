"""What a server answers where a request fails: a code of gRPC and a message."""

from tf_bertembed.common import BertEmbedError

# As tensorflow_serving/model_servers/http_server.cc maps the codes.
HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}


class ServingError(BertEmbedError):
    """A request that failed, as both APIs of TensorFlow Serving answer it.

    Args:
        code: string. The name of a `grpc.StatusCode`, for example
            `"NOT_FOUND"`.
        message: string. What the client is told.

    Attributes:
        code: string. As given.
        message: string. As given.
        http_status: int. The status of the REST API for the code.

    Example:

    ```python
    from tf_bertembed.serving import ServingError

    error = ServingError("NOT_FOUND", "Servable not found for request: Latest(bbc)")
    assert error.http_status == 404
    assert str(error) == "Servable not found for request: Latest(bbc)"
    ```

    References:
        https://www.tensorflow.org/tfx/serving/api_rest
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = HTTP_STATUS[code]
