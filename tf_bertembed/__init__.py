"""BERT and static word vectors together, for Keras, TensorFlow Serving and scikit-learn."""

import importlib
import sys

from tf_bertembed.common import lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    dict.fromkeys(
        ["common", "vectors", "text", "layers", "models", "tasks", "training", "export", "probe"]
    ),
)

# Keras reads a `.keras` file only where the classes in it are known. Beside it that costs about a
# second; without it, and on another backend than TensorFlow, importing stays cheap.
if {"keras", "tensorflow"} <= sys.modules.keys():
    importlib.import_module("tf_bertembed.keras_objects")
