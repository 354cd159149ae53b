"""BERT and static word vectors together, for Keras, TensorFlow Serving and scikit-learn."""

from tf_bertembed.common import lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    dict.fromkeys(
        ["common", "vectors", "text", "layers", "models", "tasks", "training", "export", "probe"]
    ),
)
