"""A user's columns of texts, features, labels and weights, as `fit` takes them."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.checks import check_texts


def is_dataset(x):
    """Whether a user's data are a `tf.data.Dataset`."""
    return isinstance(x, tf.data.Dataset)


def _as_tensor(value):
    if value is None or tf.is_tensor(value):
        return value
    return tf.convert_to_tensor(value if isinstance(value, list) else np.asarray(value))


def as_tensors(x):
    """Columns of texts, features or labels as tensors; `None` stays."""
    if isinstance(x, tuple):
        return tuple(_as_tensor(part) for part in x)
    if isinstance(x, dict):
        return {name: _as_tensor(part) for name, part in x.items()}
    return _as_tensor(x)


def checked(x, of=""):
    """Strings `[N]`, or a tuple of two such, checked to be texts; other things as they are."""
    if tf.is_tensor(x) or isinstance(x, dict):
        return x
    if isinstance(x, tuple) and len(x) == 2 and not any(isinstance(p, (str, bytes)) for p in x):
        return tuple(checked(part, f"`x[{side}]`") for side, part in enumerate(x))
    array = np.asarray(x) if isinstance(x, np.ndarray) else np.asarray(x, dtype=object)
    bytes_alone = array.dtype == object and all(isinstance(item, bytes) for item in array.flat)
    if array.dtype.kind not in "OU" or (array.ndim and array.size and bytes_alone):
        return x
    return check_texts(x, of)


def count(arrays):
    """How many items the columns have."""
    return int(tf.nest.flatten(arrays)[0].shape[0])


def require_labels(y):
    """Raise where there are no labels."""
    if y is None:
        raise BertEmbedError("Training and evaluation need labels. Received: `y=None`.")


def cut(arrays, part):
    """A part of each column."""
    return tf.nest.map_structure(lambda item: None if item is None else item[part], arrays)
