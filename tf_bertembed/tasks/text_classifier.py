"""Classes for texts and pairs of texts."""

import numbers

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import MaskedPooling
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.base import BertEmbedTask

UNKNOWN = "Labels that the classifier does not know"


def _name(label):
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


@keras.saving.register_keras_serializable("tf_bertembed")
class TextClassifier(BertEmbedTask):
    """Assigns one of several labels to a text or to a pair of texts.

    The head is one dense layer over the pooled output. With a backbone of
    `output_fusion="concat"` it sees the encoder's vector and the word vectors
    side by side (the concatenation head): with `pooling="cls"` the text's mean
    word vector, normalised; with `"mean"` and `"max"` the same pooling over the
    pieces' normalised vectors, where words of several pieces count as often.

    `model(features)` and `predict` answer logits, `[B, len(labels)]` float32;
    the exported model answers labels and probabilities.

    Args:
        backbone: a `BertEmbedBackbone`.
        labels: list of strings, the names of the classes, or an int, their
            number (then named `"0"`, `"1"`, ...).
        preprocessor: a `Preprocessor`; `None` where `fit` gets features.
        pooling: string. `"cls"` takes the pooler's output, `"mean"` and
            `"max"` pool `sequence_output` over the pieces of the text (the
            pooler, which nothing reads then, is not trained).
        dropout: float. The share of the pooled vector dropped in training.
        pair: bool. Whether an exported model takes `text_a` and `text_b`
            instead of `text`.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Raises:
        BertEmbedError: where there are fewer than two labels, one twice, or
            one that is no string.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    classifier = tasks.TextClassifier(
        backbone, ["no", "yes"], text.Preprocessor(tokenizer, sequence_length=16)
    )
    classifier.fit(["good", "bad"], ["yes", "no"], epochs=1, verbose=0)
    assert classifier.predict(["good"], verbose=0).shape == (1, 2)
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(
        self,
        backbone,
        labels,
        preprocessor=None,
        pooling="cls",
        dropout=0.1,
        pair=False,
        **kwargs,
    ):
        counted = isinstance(labels, numbers.Integral)
        names = [str(i) for i in range(labels)] if counted else list(labels)
        if isinstance(labels, str) or not all(isinstance(name, str) for name in names):
            raise BertEmbedError(
                "`labels` must be a list of strings, or the number of classes. "
                f"Received: {labels!r:.200}."
            )
        names = [str(name) for name in names]
        if len(names) < 2 or len(set(names)) < len(names):
            raise BertEmbedError(
                "A classifier needs at least two labels, each once. Received: "
                f"{names[:10]}{'...' if len(names) > 10 else ''}."
            )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        policy = backbone.dtype_policy
        self.pooling_layer = None
        if pooling != "cls":
            self.pooling_layer = MaskedPooling(pooling, dtype=policy, name="pooling")
        self.output_dropout = keras.layers.Dropout(dropout, dtype=policy, name="output_dropout")
        self.output_dense = keras.layers.Dense(
            len(names), kernel_initializer=bert_initializer(), dtype="float32", name="logits"
        )

        # === Functional model ===
        inputs = backbone.input
        pooled = self._pool(backbone(inputs), inputs["padding_mask"])
        outputs = self.output_dense(self.output_dropout(pooled))
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.labels = names
        self.pooling = pooling
        self.dropout = dropout
        self.pair = pair
        self._label_ids = {name: index for index, name in enumerate(names)}

    def _pool(self, outputs, padding_mask):
        if self.pooling_layer is None:
            return outputs["pooled_output"]
        return self.pooling_layer(outputs["sequence_output"], padding_mask)

    def _unread_layers(self):
        if self.pooling_layer is None:
            return (self.backbone.output_fusion_layer,)
        return (self.backbone.pooler_dense, self.backbone.pooled_fusion_layer)

    def compile(self, optimizer="auto", loss="auto", metrics="auto", **kwargs):
        """Configure training, with defaults for fine-tuning.

        Args:
            optimizer: a `keras.Optimizer`, or `"auto"` for AdamW at 5e-5.
            loss: a `keras.Loss`, or `"auto"` for the cross-entropy of logits.
            metrics: list of metrics, or `"auto"` for accuracy.
            **kwargs: passed to `keras.Model.compile`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, 3)
        classifier.compile(optimizer="adam", metrics=["accuracy"])
        ```
        """
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = AdamW(5e-5)
        if isinstance(loss, str) and loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def encode_labels(self, y):
        """Turn label names into class numbers; numbers pass through.

        Args:
            y: list, array or eager tensor of strings or ints, `[N]`; or
                `None`.

        Returns:
            Class numbers, int32 `[N]`, or `None`.

        Raises:
            BertEmbedError: where a label is none of the classifier's, or there
                is not one a text.

        Example:

        ```python
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, ["sport", "tech"])
        assert classifier.encode_labels(["tech", "sport"]).tolist() == [1, 0]
        ```
        """
        if y is None:
            return None
        y = np.asarray(y.numpy() if tf.is_tensor(y) else y)
        if y.ndim != 1:
            raise BertEmbedError(
                f"One label a text was expected: shape (N,). Received: shape {y.shape}."
            )
        if not y.size:
            return y.astype("int32")
        if y.dtype.kind in "iu":
            wrong = np.unique(y[(y < 0) | (y >= len(self.labels))]).tolist()
        elif y.dtype.kind in "USO":
            y = np.array([_name(label) for label in y], object)
            wrong = sorted(set(y) - set(self._label_ids))
        else:
            raise BertEmbedError(f"Labels must be strings or ints. Received: dtype {y.dtype}.")
        if wrong:
            raise BertEmbedError(f"{UNKNOWN}: {wrong[:5]}. {self._known()}")
        if y.dtype == object:
            y = np.array([self._label_ids[name] for name in y])
        return y.astype("int32")

    def encode_label_batches(self, dataset):
        """Turn the labels in a dataset of batches into class numbers.

        Strings are looked up and numbers checked while the dataset is read; an
        unknown label then stops it with an error that names the label. Labels
        of other types (for a loss of your own) pass through.

        Args:
            dataset: a `tf.data.Dataset` of batches `(x, y)` or
                `(x, y, sample_weight)`, `y` strings or ints `[B]`.

        Returns:
            A `tf.data.Dataset` with class numbers, int32 `[B]`.

        Raises:
            BertEmbedError: where the dataset has no labels, or not one a text.

        Example:

        ```python
        import tensorflow as tf
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, ["sport", "tech"])
        data = tf.data.Dataset.from_tensors((["a match", "a chip"], ["sport", "tech"]))
        _, y = next(iter(classifier.encode_label_batches(data)))
        assert y.numpy().tolist() == [0, 1]
        ```
        """
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
        if labels.shape.rank not in (None, 1):
            raise BertEmbedError(
                "One label a text, in batches, was expected: shape (B,). Received: a dataset with "
                f"labels of shape {labels.shape}."
            )
        return dataset.map(lambda x, y, *weight: (x, self._numbers(y), *weight))

    def _numbers(self, y):
        if y.dtype == tf.string:
            # No table: it would have to live as long as the dataset.
            equal = y[:, tf.newaxis] == tf.constant(self.labels)
            known, y_ids = tf.reduce_any(equal, axis=-1), tf.argmax(equal, axis=-1)
        else:
            y_ids = tf.cast(y, tf.int64)
            known = (y_ids >= 0) & (y_ids < len(self.labels))
        wrong = tf.boolean_mask(y, ~known)
        problem = [f"{UNKNOWN}:", wrong, self._known()]
        with tf.control_dependencies([tf.Assert(tf.size(wrong) == 0, problem, summarize=5)]):
            return tf.cast(y_ids, tf.int32)

    def _known(self):
        return f"Known: {self.labels[:10]}{'...' if len(self.labels) > 10 else ''}."

    @property
    def text_inputs(self):
        """The names of the strings that an exported model takes."""
        return ("text_a", "text_b") if self.pair else ("text",)

    def signatures(self):
        """What an exported model answers.

        Returns:
            A dict of functions from features to named tensors, the first
            dimension of each the batch: `serving_default` gives `label` `[B]`
            and `classes` `[B, C]` (strings) and `probabilities` `[B, C]`;
            `embed` gives `embedding` `[B, D]`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), 2)
        assert sorted(classifier.signatures()) == ["embed", "serving_default"]
        ```
        """

        def classify(features):
            logits = self(features, training=False)
            names = tf.constant(self.labels)
            return {
                "label": tf.gather(names, tf.argmax(logits, axis=-1)),
                "probabilities": ops.softmax(logits, axis=-1),
                "classes": tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1]),
            }

        def embed(features):
            outputs = self.backbone(features, training=False)
            pooled = self._pool(outputs, features["padding_mask"])
            return {"embedding": tf.cast(pooled, tf.float32)}

        return {"serving_default": classify, "embed": embed}

    def get_config(self):
        return {
            **super().get_config(),
            "labels": self.labels,
            "pooling": self.pooling,
            "dropout": self.dropout,
            "pair": self.pair,
        }
