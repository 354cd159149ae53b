"""Labels of words, and what a loss takes for them."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.label_set import LabelSet
from tf_bertembed.tasks.tagging.tag_accuracy import NO_TAG


class WordLabels(LabelSet):
    """The labels of a tagger: a list of them for each text.

    Args:
        names: list of C strings.
    """

    def encode_rows(self, y):
        """Numbers for lists of labels, ragged int32 `[N, (W)]`; for an array of ints the same."""
        if isinstance(y, np.ndarray) and y.ndim == 2 and y.dtype.kind in "iu":
            self.encode(y[y != NO_TAG])
            return y.astype("int32")
        if isinstance(y, tf.RaggedTensor):
            return y.with_values(tf.constant(self.encode(y.values), tf.int32))
        for place, row in enumerate(y):
            if isinstance(row, (str, bytes)) or not hasattr(row, "__len__"):
                raise BertEmbedError(
                    f"A list of tags was expected for each text. Received: {row!r:.80} for text "
                    f"{place}."
                )
        flat = np.array([tag for row in y for tag in row])
        return tf.RaggedTensor.from_row_lengths(
            tf.constant(self.encode(flat), tf.int32), [len(row) for row in y]
        )

    def encode_row_batches(self, dataset):
        """The same for a dataset of batches `(x, y)` or `(x, y, sample_weight)`."""
        spec = dataset.element_spec
        if not isinstance(spec, tuple) or len(spec) < 2:
            raise BertEmbedError(
                "Training and evaluation need tags: a dataset of (words, tags). Received: a "
                f"dataset of {spec}."
            )
        if spec[1].dtype != tf.string:
            return dataset
        if not isinstance(spec[1], tf.RaggedTensorSpec):
            raise BertEmbedError(
                "Tags in a dataset must be ragged, or numbers. Received: a dataset with tags of "
                f"shape {spec[1].shape}."
            )

        def encode(x, y, *weight):
            return (x, y.with_values(self.one_in_graph(y.values)), *weight)

        return dataset.map(encode)

    def weigh(self, y, class_weight, sample_weight=None):
        """A weight for each word, ragged float32 `[N, (W)]`, from those of classes and texts."""
        of_class = self.weights(class_weight, y.values.numpy())
        weights = y.with_values(tf.gather(tf.constant([*of_class.values()]), y.values))
        if sample_weight is None:
            return weights
        by_text = tf.cast(np.asarray(sample_weight), tf.float32)
        return weights * tf.RaggedTensor.from_row_splits(
            tf.gather(by_text, y.value_rowids()), y.row_splits, validate=False
        )


def ragged_rows(y):
    """Numbers `[N, W]`, -1 where there is no word, as a ragged tensor; one that is stays so."""
    if isinstance(y, tf.RaggedTensor):
        return y
    return tf.ragged.boolean_mask(tf.constant(y), tf.not_equal(y, NO_TAG))


def check_counts(words, tags):
    """Raise where texts have another number of tags than of words, both ints `[N]`."""
    if len(words) != len(tags):
        raise BertEmbedError(
            f"`x` and `y` must hold as many texts. Received: {len(words)} and {len(tags)}."
        )
    wrong = np.flatnonzero(words != tags)
    if wrong.size:
        raise BertEmbedError(
            f"One tag for each word was expected. Received: {words[wrong[0]]} words and "
            f"{tags[wrong[0]]} tags for text {wrong[0]}."
        )
