"""TensorFlow Serving's REST API as an ASGI application, with its page and its limits."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BoundedProtocol": "protocol",
        "Limits": "limits",
        "create_app": "app",
    },
)
