"""All windows of many questions, kept without padding."""

import numpy as np
import tensorflow as tf

from tf_bertembed.text.batches import without_autotuning

TEXTS_AT_ONCE = 256
PADDING = {"piece_starts": -1, "piece_ends": -1}


class Windows:
    """The windows of texts, and how to make batches of them.

    Args:
        preprocessor: a `text.QuestionPreprocessor`.
        questions: list of B strings.
        contexts: list of B strings.
        spans: int array [B, 2], or `None`. The code points of the answers;
            (-1, -1) for none.
        weights: float array [B], or `None`. A weight for each text.
    """

    def __init__(self, preprocessor, questions, contexts, spans=None, weights=None):
        self._width = preprocessor.sequence_length if preprocessor.padding == "max_length" else None
        made, owners, targets = {}, [], {}
        for begin in range(0, len(questions), TEXTS_AT_ONCE):
            part = slice(begin, begin + TEXTS_AT_ONCE)
            y = None if spans is None else spans[part]
            features = preprocessor((questions[part], contexts[part]), y=y)
            if y is not None:
                features, pieces = features
                for name, value in pieces.items():
                    targets.setdefault(name, []).append(value)
            owners.append(features.pop("window_text").numpy() + begin)
            del features["contexts"]
            mask = features["padding_mask"]
            for name, value in features.items():
                made.setdefault(name, []).append(tf.ragged.boolean_mask(value, mask))
        self.owners = np.concatenate(owners)
        self._features = {name: tf.concat(parts, axis=0) for name, parts in made.items()}
        self._targets = {name: tf.concat(parts, axis=0) for name, parts in targets.items()}
        self.lengths = self._features["token_ids"].row_lengths().numpy()
        self._weights = None
        if weights is not None:
            self._weights = tf.constant(np.asarray(weights, "float32")[self.owners])

    def __len__(self):
        return len(self.owners)

    def batch(self, rows, width=None):
        """The features of some windows, padded to the longest, or to a width."""
        width = width or self._width
        return {
            name: tf.gather(value, rows).to_tensor(
                tf.cast(PADDING.get(name, 0), value.dtype), shape=[None, width]
            )
            for name, value in self._features.items()
        }

    def dataset(self, names, batch_size, order=None, width=None):
        """Batches of features by these names, with targets and weights where there are such.

        In the order of an `EpochOrder`, or else as the texts stand.
        """

        def batch(rows):
            features = self.batch(rows, width)
            parts = [{name: features[name] for name in names}]
            if self._targets:
                parts.append({n: tf.gather(value, rows) for n, value in self._targets.items()})
            if self._weights is not None:
                parts.append(tf.gather(self._weights, rows))
            return tuple(parts) if len(parts) > 1 else parts[0]

        count = len(self)
        if order is None:
            rows = tf.data.Dataset.range(count).batch(batch_size)
        else:
            rows = order.batches(tf.range(count, dtype=tf.int64), count, batch_size)
        return without_autotuning(rows.map(batch).prefetch(2))
