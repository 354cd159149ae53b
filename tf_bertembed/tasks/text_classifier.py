"""Classes for texts and pairs of texts."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import MaskedPooling
from tf_bertembed.layers.activations import bert_initializer
from tf_bertembed.tasks.base import BertEmbedTask


@keras.saving.register_keras_serializable("tf_bertembed")
class TextClassifier(BertEmbedTask):
    """Assigns one of several labels to a text or to a pair of texts.

    The head is one dense layer over the pooled output. With a backbone of
    `output_fusion="concat"` it sees the encoder's vector and the mean word
    vector side by side, each normalised (the concatenation head).

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
        BertEmbedError: where there are fewer than two labels or one twice.

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
        names = [str(i) for i in range(labels)] if isinstance(labels, int) else list(labels)
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
            optimizer = keras.optimizers.AdamW(5e-5)
        if isinstance(loss, str) and loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def encode_labels(self, y):
        """Turn label names into class numbers; numbers pass through.

        Args:
            y: list or array of strings or ints, `[N]`; or `None`.

        Returns:
            Class numbers, int32 `[N]`, or `None`.

        Raises:
            BertEmbedError: where a label is none of the classifier's.

        Example:

        ```python
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, ["sport", "tech"])
        assert classifier.encode_labels(["tech", "sport"]).tolist() == [1, 0]
        ```
        """
        if y is None or tf.is_tensor(y):
            return y
        y = np.asarray(y)
        if not y.size:
            return y.astype("int32")
        if y.dtype.kind in "iu":
            wrong = np.unique(y[(y < 0) | (y >= len(self.labels))])
        elif y.dtype.kind in "UO":
            wrong = np.array(sorted({str(name) for name in y} - set(self._label_ids)))
        else:
            raise BertEmbedError(f"Labels must be strings or ints. Received: dtype {y.dtype}.")
        if wrong.size:
            raise BertEmbedError(
                f"Labels that the classifier does not know: {wrong[:5].tolist()}. Known: "
                f"{self.labels[:10]}{'...' if len(self.labels) > 10 else ''}."
            )
        if y.dtype.kind in "UO":
            y = np.array([self._label_ids[str(name)] for name in y])
        return y.astype("int32")

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
