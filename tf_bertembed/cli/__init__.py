"""The command line: arguments, output and exit codes; a thin layer over the package."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(__name__, {"main": "app"})
