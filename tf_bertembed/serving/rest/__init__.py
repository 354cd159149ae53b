"""TensorFlow Serving's REST API as an ASGI application, with its page and its limits.

What differs from TensorFlow Serving, on purpose:

- Bodies, rows, time and memory have limits (`Limits`), with 413, 400, 408 and 503 beyond them.
- Integers that do not fit their type are refused; there they wrap around.
- JSON that is nested too deeply is refused; there it can end the server. `Inf` is not taken
  for `Infinity`, and half of a pair of surrogates is never a character.
- Error texts show at most 1,000 characters of a value.
- Paths outside `/v1/` answer with JSON too, and `/`, `/healthz` and `/metrics` exist.
"""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BoundedProtocol": "protocol",
        "Limits": "limits",
        "create_app": "app",
    },
)
