"""Whether what only the server needs is installed."""

import importlib.util

from tf_bertembed.common import MissingPackageError

MODULES = ("tensorflow_serving", "grpc", "starlette", "uvicorn", "prometheus_client")


def require_packages():
    """Say what to install where a package is missing.

    Raises:
        MissingPackageError: naming the extra.
    """
    if any(importlib.util.find_spec(name) is None for name in MODULES):
        raise MissingPackageError(["'tf-bertembed[serve]'"], "The server")
