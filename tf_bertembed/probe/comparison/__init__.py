"""Which features classify a user's texts best, and whether that is more than noise."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(__name__, {"compare": "comparing"})
