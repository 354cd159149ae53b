"""The demo: the whole road walked once, by public calls only."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__, {"bbc_articles": "data", "run": "road", "wikipedia_documents": "data"}
)
