"""From a data file to a trained task: the start, the fit, early stopping, folds and seeds."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {"FitSettings": "settings", "ModelStart": "start", "fine_tune": "driver"},
)
