"""The vectors of the texts of a file, in a file: any number of rows, in bounded memory."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(__name__, {"embed_file": "embedding"})
