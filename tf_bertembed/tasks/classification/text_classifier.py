"""Classes for texts and pairs of texts."""

import numbers

import keras
import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import MaskedPooling
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.tasks.classification.answers import ClassifierAnswers
from tf_bertembed.tasks.label_set import LabelSet, label_names


def _holds_pairs(x):
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        x = spec[0] if isinstance(spec, tuple) else spec
    return isinstance(x, tuple) and len(x) == 2


@keras.saving.register_keras_serializable("tf_bertembed")
class TextClassifier(ClassifierAnswers, BertEmbedTask):
    """Assigns one of several labels, or any number of them, to a text or to a pair of texts.

    The head is one dense layer over the pooled output. With a backbone of
    `output_fusion="concat"` it sees the encoder's vector and the word vectors
    side by side (the concatenation head): with `pooling="cls"` the text's mean
    word vector, normalised; with `"mean"` and `"max"` the same pooling over the
    pieces' normalised vectors, where words of several pieces count as often.

    `model(features)` and `predict` answer logits, `[B, len(labels)]` float32;
    the exported model and `answer` give labels and probabilities. Where
    `multi_label` is set, each label has a sigmoid of its own, and labels are
    a list of names for each text.

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
            instead of `text`. `None` for what `fit` gets.
        multi_label: bool. Whether a text may have any number of labels.
        threshold: float. With `multi_label`, the probability from which on a
            text has a label.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Raises:
        BertEmbedError: where there are fewer than two labels (with
            `multi_label`: none), one twice, or one that is no string, or the
            threshold is not between 0 and 1.

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
        pair=None,
        multi_label=False,
        threshold=0.5,
        **kwargs,
    ):
        names = label_names(labels, least=1 if multi_label else 2)
        if not isinstance(threshold, numbers.Real) or not 0 < threshold < 1:
            raise BertEmbedError(f"`threshold` must be between 0 and 1. Received: {threshold!r}.")
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.multi_label = multi_label
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
        self.threshold = threshold
        self._label_set = LabelSet(names, multi_label)

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
            loss: a `keras.Loss`, or `"auto"` for the cross-entropy of logits,
                with `multi_label` that of each label for itself.
            metrics: list of metrics, or `"auto"` for accuracy, with
                `multi_label` that of each label for itself.
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
            loss = (
                keras.losses.BinaryCrossentropy(from_logits=True)
                if self.multi_label
                else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            )
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [
                keras.metrics.BinaryAccuracy(threshold=0.0)
                if self.multi_label
                else keras.metrics.SparseCategoricalAccuracy(name="accuracy")
            ]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def fit(self, x=None, y=None, batch_size=None, sample_weight=None, class_weight=None, **kwargs):
        """Train, with the manners of `keras.Model.fit`.

        Args:
            x: strings `[N]`, a tuple of two such for pairs, a dict of
                features `[N, T]`, or a `tf.data.Dataset` of batches.
            y: labels `[N]`, names or numbers; with `multi_label` a list of
                names for each text, or zeros and ones `[N, C]`. `None` where
                `x` is a dataset.
            batch_size: int. Texts in a step, 32 by default.
            sample_weight: float `[N]`. A weight for each text.
            class_weight: dict from names or numbers to weights, others weigh
                1; or `"balanced"`: all classes weigh the same together.
            **kwargs: as for every task (`validation_data`,
                `validation_split`, `shuffle`), or passed to `keras.Model.fit`
                (`epochs`, `callbacks`, ...).

        Returns:
            A `keras.callbacks.History`.

        Raises:
            BertEmbedError: where labels, weights or lengths do not fit, or a
                row is no text (the message names it).

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
        classifier = tasks.TextClassifier(
            models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
            ["no", "yes"],
            text.Preprocessor(tokenizer, sequence_length=16),
        )
        classifier.compile(run_eagerly=True)
        texts, labels = ["good", "bad"], ["yes", "no"]
        history = classifier.fit(texts, labels, class_weight={"no": 2.0}, verbose=0)
        assert history.history["loss"][0] > 0
        ```
        """
        if self.pair is None and not isinstance(x, dict):
            self.pair = _holds_pairs(x)
        if class_weight is not None:
            encoded = None if isinstance(x, tf.data.Dataset) else self.encode_labels(y)
            class_weight = self._label_set.weights(class_weight, encoded)
        return super().fit(x, y, batch_size, sample_weight, class_weight=class_weight, **kwargs)

    def encode_labels(self, y):
        """Turn label names into class numbers; numbers pass through.

        Args:
            y: list, array or eager tensor of strings or ints, `[N]`; with
                `multi_label` a list of names for each text, or zeros and
                ones `[N, C]`; or `None`.

        Returns:
            Class numbers, int32 `[N]`; with `multi_label` zeros and ones,
            float32 `[N, C]`; or `None`.

        Raises:
            BertEmbedError: where a label is none of the classifier's, or there
                is not one (with `multi_label`: a list) a text.

        Example:

        ```python
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, ["sport", "tech"])
        assert classifier.encode_labels(["tech", "sport"]).tolist() == [1, 0]
        several = tasks.TextClassifier(backbone, ["sport", "tech"], multi_label=True)
        assert several.encode_labels([["tech", "sport"], []]).tolist() == [[1, 1], [0, 0]]
        ```
        """
        return None if y is None else self._label_set.encode(y)

    def encode_label_batches(self, dataset):
        """Turn the labels in a dataset of batches into class numbers.

        Strings are looked up and numbers checked while the dataset is read; an
        unknown label then stops it with an error that names the label. Labels
        of other types (for a loss of your own) pass through.

        Args:
            dataset: a `tf.data.Dataset` of batches `(x, y)` or
                `(x, y, sample_weight)`, `y` strings or ints `[B]`; with
                `multi_label` strings, ragged or padded with `""`, or zeros
                and ones `[B, C]`.

        Returns:
            A `tf.data.Dataset` with class numbers, int32 `[B]`, or with
            `multi_label` zeros and ones, float32 `[B, C]`.

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
        return self._label_set.encode_batches(dataset)

    def get_config(self):
        return {
            **super().get_config(),
            "labels": self.labels,
            "pooling": self.pooling,
            "dropout": self.dropout,
            "pair": self.pair,
            "multi_label": self.multi_label,
            "threshold": self.threshold,
        }
