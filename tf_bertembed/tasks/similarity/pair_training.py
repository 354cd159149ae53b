"""Training on pairs of texts of a model that takes each text alone."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.base import BertEmbedTask


def is_pair(x):
    """Whether `x` is a tuple of two columns of texts."""
    return isinstance(x, tuple) and len(x) == 2


class PairTrainedTask(BertEmbedTask):
    """Base of tasks whose model maps one text, and whose loss compares two.

    Features of pairs are `[B, 2, T]`, so that their first dimension is the
    batch, as Keras needs it to cut batches over devices; in `call` they are
    laid end to end. A subclass says by `compare` what becomes of the vectors
    of a pair, and by `_targets` how labels are encoded.
    """

    # Under this objective there are no labels: pair i belongs to itself.
    unlabelled = False
    # A `LabelSet` or a `ScoreRange`.
    _targets = None

    def compare(self, embeddings):
        """What loss and metrics are given of the vectors `[B, 2, D]` of pairs."""
        raise NotImplementedError

    def call(self, inputs, training=None, mask=None):
        if len(inputs["token_ids"].shape) < 3:
            return super().call(inputs, training=training, mask=mask)
        flat = {
            name: ops.reshape(value, (-1, ops.shape(value)[-1])) for name, value in inputs.items()
        }
        vectors = super().call(flat, training=training)
        return ops.reshape(vectors, (-1, 2, vectors.shape[-1]))

    def _samples(self, x, y=None, sample_weight=None):
        if self.preprocessor is None or not is_pair(x):
            return super()._samples(x, y, sample_weight)
        # Together, so that both are padded alike.
        features = self.preprocessor(tf.reshape(tf.stack(x, axis=1), [-1]))
        features = {
            name: tf.reshape(value, [-1, 2, tf.shape(value)[-1]])
            for name, value in features.items()
        }
        return keras.utils.pack_x_y_sample_weight(features, y, sample_weight)

    def _compared(self, y, embeddings):
        outputs = self.compare(embeddings)
        return (ops.arange(ops.shape(outputs)[0]) if self.unlabelled else y), outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y, y_pred = self._compared(y, y_pred)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, *self._compared(y, y_pred), sample_weight)

    def encode_labels(self, y):
        """Turn scores or names into what the loss takes.

        Args:
            y: list, array or eager tensor `[N]` of scores, or of names or
                numbers of labels; zeros under "ranking"; or `None`.

        Returns:
            An array `[N]`: scores from 0 to 1, or class numbers; or `None`.

        Raises:
            BertEmbedError: where a score is out of its range, a label is
                unknown, or there is not one a pair.
        """
        if y is None or self.unlabelled:
            return y
        return self._targets.encode(y)

    def encode_label_batches(self, dataset):
        """The same for a dataset of batches `((first, second), y)`.

        Args:
            dataset: a `tf.data.Dataset` of batches; under "ranking" of
                `((first, second),)`, or with any y.

        Returns:
            A `tf.data.Dataset` of batches `(x, y)`, with sample weights where
            it had some.

        Raises:
            BertEmbedError: where the elements are not so.
        """
        spec = dataset.element_spec
        spec = spec if isinstance(spec, tuple) else (spec,)
        texts = self.preprocessor is not None
        if (texts and not is_pair(spec[0])) or not (self.unlabelled or len(spec) > 1):
            raise BertEmbedError(
                "A dataset to train on must hold batches of ((first, second), y)"
                f"{', y left out or not' if self.unlabelled else ''}. Received: {spec}."
            )
        if not self.unlabelled:
            return self._targets.encode_batches(dataset)
        return dataset.map(_without_labels)

    def _pairs(self, x, y):
        if isinstance(x, tf.data.Dataset):
            return y
        if self.preprocessor is not None and not is_pair(x):
            raise BertEmbedError(
                "Training takes pairs of texts, a tuple of two lists (first, second). "
                f"Received: {type(x).__name__}."
            )
        # Zeros for labels, which Keras must have, and which nothing reads.
        missing = y is None and self.unlabelled
        return np.zeros(len(tf.nest.flatten(_columns(x))[0]), "int32") if missing else y

    def fit(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """Train on pairs, with the manners of `keras.Model.fit`.

        Args:
            x: a tuple of two lists of strings `[N]`, a dict of features
                `[N, 2, T]`, or a `tf.data.Dataset` of batches.
            y: scores or labels `[N]`; `None` under "ranking" and where `x` is
                a dataset.
            batch_size: int. Pairs in a step, 32 by default; at least 2 under
                "ranking".
            sample_weight: float `[N]`. A weight for each pair.
            **kwargs: as for every task (`validation_data`,
                `validation_split`, `shuffle`), or passed to
                `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            BertEmbedError: where pairs, labels and weights do not fit, or a
                row is no text (the message names it).
        """
        data = kwargs.get("validation_data")
        if data is not None and not isinstance(data, tf.data.Dataset):
            held, *rest = data
            target, *weight = rest or (None,)
            kwargs["validation_data"] = (held, self._pairs(held, target), *weight)
        if self.objective == "ranking" and batch_size == 1 and not isinstance(x, tf.data.Dataset):
            raise BertEmbedError(
                'Under "ranking" a text is found among those of its batch: `batch_size` must be at '
                "least 2. Received: 1."
            )
        return super().fit(x, self._pairs(x, y), batch_size, sample_weight, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """Compute loss and metrics of pairs; arguments as in `fit`."""
        return super().evaluate(x, self._pairs(x, y), batch_size, sample_weight, **kwargs)


def _columns(x):
    # Lists of strings would be taken apart to their strings.
    return tuple(map(np.asarray, x)) if is_pair(x) else x


def _without_labels(x, y=None, *weight):
    texts = tf.nest.flatten(x)[0]
    return (x, tf.zeros(tf.shape(texts)[:1], tf.int32), *weight)
