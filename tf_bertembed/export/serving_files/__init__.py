"""What an operator of TensorFlow Serving needs beside the models."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__, {"served_models": "write", "write_serving_files": "write"}
)
