"""The names of classes, and what a loss takes for them."""

import math
import numbers

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError

UNKNOWN = "Labels that the classifier does not know"


def _name(label):
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def label_names(labels, least=2):
    """Check the names of classes.

    Args:
        labels: list of strings, or an int, their number (then named `"0"`,
            `"1"`, ...).
        least: int. How many there must be.

    Returns:
        A list of strings.

    Raises:
        BertEmbedError: where there are fewer, one twice, or one is no string.
    """
    counted = isinstance(labels, numbers.Integral)
    given = range(labels) if counted else labels
    names = [] if given is None else [str(i) if counted else i for i in given]
    if given is None or isinstance(labels, str) or not all(isinstance(name, str) for name in names):
        raise BertEmbedError(
            "`labels` must be a list of strings, or the number of classes. "
            f"Received: {labels!r:.200}."
        )
    names = [str(name) for name in names]
    if len(names) < least or len(set(names)) < len(names):
        count = "two labels" if least == 2 else "one label"
        raise BertEmbedError(
            f"A classifier needs at least {count}, each once. Received: "
            f"{names[:10]}{'...' if len(names) > 10 else ''}."
        )
    return names


class LabelSet:
    """The labels of a classifier: one a text, or any number of them.

    Args:
        names: list of C strings.
        multi_label: bool. Whether a text may have any number of labels.
    """

    def __init__(self, names, multi_label=False):
        self.names = names
        self.multi_label = multi_label
        self._ids = {name: index for index, name in enumerate(names)}

    def __str__(self):
        return f"Known: {self.names[:10]}{'...' if len(self.names) > 10 else ''}."

    def encode(self, y):
        """Numbers for a user's labels: int32 `[N]`, or float32 `[N, C]` of zeros and ones."""
        y = y.numpy() if tf.is_tensor(y) else y
        return self._encode_several(y) if self.multi_label else self._encode_one(np.asarray(y))

    def _encode_one(self, y):
        if y.ndim != 1:
            raise BertEmbedError(
                f"One label a text was expected: shape (N,). Received: shape {y.shape}."
            )
        if not y.size:
            return y.astype("int32")
        if y.dtype.kind in "iu":
            wrong = np.unique(y[(y < 0) | (y >= len(self.names))]).tolist()
        elif y.dtype.kind in "USO":
            y = np.array([_name(label) for label in y], object)
            wrong = sorted(set(y) - set(self._ids))
        else:
            raise BertEmbedError(f"Labels must be strings or ints. Received: dtype {y.dtype}.")
        if wrong:
            raise BertEmbedError(f"{UNKNOWN}: {wrong[:5]}. {self}")
        if y.dtype == object:
            y = np.array([self._ids[name] for name in y])
        return y.astype("int32")

    def _encode_several(self, y):
        if isinstance(y, np.ndarray) and y.dtype.kind in "biuf":
            if y.ndim != 2 or y.shape[1] != len(self.names) or not np.isin(y, (0, 1)).all():
                raise BertEmbedError(
                    f"Zeros and ones of shape (N, {len(self.names)}), or a list of names for each "
                    f"text, were expected. Received: {y.dtype} of shape {y.shape}."
                )
            return y.astype("float32")
        matrix = np.zeros((len(y), len(self.names)), np.float32)
        for row, names in enumerate(y):
            if isinstance(names, (str, bytes)) or not hasattr(names, "__iter__"):
                raise BertEmbedError(
                    f"A list of labels was expected for each text. Received: {names!r:.200} for "
                    f"text {row}."
                )
            names = [_name(name) for name in names]
            wrong = sorted(set(names) - set(self._ids))
            if wrong:
                raise BertEmbedError(f"{UNKNOWN}: {wrong[:5]}. {self}")
            matrix[row, [self._ids[name] for name in names]] = 1.0
        return matrix

    def encode_batches(self, dataset):
        """The same for a dataset of batches `(x, y)` or `(x, y, sample_weight)`."""
        spec = dataset.element_spec
        if not isinstance(spec, tuple) or len(spec) < 2:
            raise BertEmbedError(
                "Training and evaluation need labels: a dataset of (texts, labels). Received: a "
                f"dataset of {spec}."
            )
        labels = spec[1]
        dtype = getattr(labels, "dtype", None)
        if dtype is None or not (dtype == tf.string or dtype.is_integer):
            return dataset
        rank = 2 if self.multi_label else 1
        if labels.shape.rank not in (None, rank):
            expected = "A row of labels" if self.multi_label else "One label"
            shape = "(B, C)" if self.multi_label else "(B,)"
            raise BertEmbedError(
                f"{expected} a text, in batches, was expected: shape {shape}. Received: a dataset "
                f"with labels of shape {labels.shape}."
            )
        encode = self._several_in_graph if self.multi_label else self.one_in_graph
        return dataset.map(lambda x, y, *weight: (x, encode(y), *weight))

    def one_in_graph(self, y):
        """Numbers int32 `[N]` for a tensor of strings or ints `[N]`; others stop the graph."""
        if y.dtype == tf.string:
            # No table: it would have to live as long as the dataset.
            equal = y[:, tf.newaxis] == tf.constant(self.names)
            known, y_ids = tf.reduce_any(equal, axis=-1), tf.argmax(equal, axis=-1)
        else:
            y_ids = tf.cast(y, tf.int64)
            known = (y_ids >= 0) & (y_ids < len(self.names))
        with tf.control_dependencies([self._assertion(tf.boolean_mask(y, ~known))]):
            return tf.cast(y_ids, tf.int32)

    def _several_in_graph(self, y):
        if y.dtype != tf.string:
            wrong = tf.boolean_mask(y, (y != 0) & (y != 1))
            problem = ["Zeros and ones were expected. Received:", wrong]
            with tf.control_dependencies([tf.Assert(tf.size(wrong) == 0, problem, summarize=5)]):
                return tf.cast(y, tf.float32)
        y = y.to_tensor("") if isinstance(y, tf.RaggedTensor) else y
        equal = y[:, :, tf.newaxis] == tf.constant(self.names)
        known = tf.reduce_any(equal, axis=-1) | (y == "")
        with tf.control_dependencies([self._assertion(tf.boolean_mask(y, ~known))]):
            return tf.cast(tf.reduce_any(equal, axis=1), tf.float32)

    def _assertion(self, wrong):
        return tf.Assert(tf.size(wrong) == 0, [f"{UNKNOWN}:", wrong, str(self)], summarize=5)

    def weights(self, class_weight, y=None):
        """Weights by class number, as `keras.Model.fit` takes them.

        Args:
            class_weight: mapping of names or numbers to weights, or
                `"balanced"` for such that all classes weigh the same together.
            y: what `encode` gave, for `"balanced"`; `None` for a dataset.

        Returns:
            A dict of C floats.
        """
        if self.multi_label:
            raise BertEmbedError(
                "`class_weight` is for classifiers of one label a text; with `multi_label` pass "
                "`sample_weight`."
            )
        if isinstance(class_weight, str):
            if class_weight != "balanced" or y is None:
                raise BertEmbedError(
                    "`class_weight` must be a dict, or 'balanced' where `y` is an array. "
                    f"Received: {class_weight!r}{' for a dataset' if y is None else ''}."
                )
            counts = np.bincount(y, minlength=len(self.names))
            shares = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
            return dict(enumerate(shares.tolist()))
        found = dict.fromkeys(range(len(self.names)), 1.0)
        for label, weight in class_weight.items():
            number = self._ids.get(label) if isinstance(label, str) else label
            if number not in found:
                raise BertEmbedError(f"`class_weight` for {UNKNOWN.lower()}: {label!r}. {self}")
            if not isinstance(weight, numbers.Real) or not 0 <= weight < math.inf:
                raise BertEmbedError(
                    "The weight of a class must be a number of at least 0. Received: "
                    f"{weight!r} for {label!r}."
                )
            found[number] = float(weight)
        if not any(found.values()):
            raise BertEmbedError(
                f"One class at least must have a weight above 0. Received: {class_weight}."
            )
        return found
