"""TensorFlow Serving's REST and gRPC APIs for development, and a client of both."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Client": "client",
        "Server": "server",
        "ServingError": "errors",
    },
)
