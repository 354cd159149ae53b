"""Answers that are parts of a text."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.models.backbone_graph import BackboneGraph
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.question_answering.answering import OUTPUTS, QuestionAnswers
from tf_bertembed.tasks.question_answering.fitting import QuestionFitting
from tf_bertembed.tasks.question_answering.scores import check_language
from tf_bertembed.tasks.question_answering.spans import LOW
from tf_bertembed.text import QuestionPreprocessor


@keras.saving.register_keras_serializable("tf_bertembed")
class QuestionAnswerer(QuestionAnswers, QuestionFitting):
    """Answers questions with parts of a given text, or tells that it has no answer.

    The head is one dense layer over `sequence_output`, which scores each piece
    as the first and as the last one of the answer; `[CLS]` stands for "no
    answer here". Long contexts are read through overlapping windows (see
    `text.QuestionPreprocessor`), and the best span over all of them is found
    in the graph, so that an exported model takes and gives strings.

    `fit`, `evaluate` and `predict` take lists of `text.SquadExample`s. One
    step sees `batch_size` windows, not texts. `model(features)` and `predict`
    answer `start_logits` and `end_logits`, float32 of one row a window; -1e9
    where there is no piece.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `QuestionPreprocessor`; `None` where `fit` gets
            features.
        max_answer_length: int. The most pieces of an answer.
        n_best: int. How many spans `answers` has.
        null_threshold: float. No answer is given where its logit is more than
            this above that of the best span; `None` to answer always (SQuAD
            1.1). `choose_null_threshold` finds the best one.
        language: string. How answers are compared, `"en"` or `"zh"`; see
            `score_answer`.
        dropout: float. The share of the head's input dropped in training.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Raises:
        BertEmbedError: where an argument is not as above.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
    backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
    answerer = tasks.QuestionAnswerer(backbone, text.QuestionPreprocessor(tokenizer, 16))
    (answer,) = answerer.answer((["Who sat?"], ["A cat sat."]))
    assert answer["answer"] == "A cat sat."[answer["start"] : answer["end"]]
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    preprocessor_cls = QuestionPreprocessor
    text_inputs = ("question", "context")

    def __init__(
        self,
        backbone,
        preprocessor=None,
        max_answer_length=30,
        n_best=5,
        null_threshold=None,
        language="en",
        dropout=0.0,
        **kwargs,
    ):
        check_at_least(1, max_answer_length=max_answer_length, n_best=n_best)
        check_language(language)
        if preprocessor is not None and not isinstance(preprocessor, QuestionPreprocessor):
            raise BertEmbedError(
                "A QuestionAnswerer needs a text.QuestionPreprocessor, which makes windows. "
                f"Received: {type(preprocessor).__name__}."
            )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        policy = backbone.dtype_policy
        self.output_dropout = keras.layers.Dropout(dropout, dtype=policy, name="output_dropout")
        self.output_dense = keras.layers.Dense(
            2, kernel_initializer=bert_initializer(), dtype="float32", name="logits"
        )

        # === Functional model ===
        inputs = backbone.input
        hidden = self.output_dropout(backbone(inputs)["sequence_output"])
        logits = self.output_dense(hidden)
        # Else the padding of a batch would be a part of each softmax.
        logits = ops.where(ops.expand_dims(inputs["padding_mask"], -1), logits, LOW)
        outputs = {name: logits[..., side] for side, name in enumerate(OUTPUTS)}
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.max_answer_length = max_answer_length
        self.n_best = n_best
        self.null_threshold = null_threshold
        self.language = language
        self.dropout = dropout
        # One for windows of any width; what predicts is traced for each width.
        specs = {
            name: tf.TensorSpec([None, None], tensor.dtype, name) for name, tensor in inputs.items()
        }
        self._graph = BackboneGraph(
            backbone, lambda features: self(features, training=False), [specs]
        )

    @property
    def null_threshold(self):
        """How far "no answer" must be above the best span; `None` to answer always."""
        return self._null_threshold

    @null_threshold.setter
    def null_threshold(self, value):
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if value is not None and not (number and np.isfinite(value)):
            raise BertEmbedError(
                f"`null_threshold` must be a finite number or None. Received: {value!r}."
            )
        self._null_threshold = None if value is None else float(value)

    def _unread_layers(self):
        return (self.backbone.pooler_dense, self.backbone.pooled_fusion_layer)

    def compile(self, optimizer="auto", loss="auto", metrics="auto", **kwargs):
        """Configure training, with defaults for fine-tuning.

        Args:
            optimizer: a `keras.Optimizer`, or `"auto"` for AdamW at 5e-5.
            loss: what `keras.Model.compile` takes, or `"auto"` for the mean of
                the cross-entropies of first and last piece.
            metrics: what `keras.Model.compile` takes, or `"auto"` for the
                accuracy of both.
            **kwargs: passed to `keras.Model.compile`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        answerer = tasks.QuestionAnswerer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        answerer.compile(optimizer="adam", metrics=None)
        ```
        """
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = AdamW(5e-5)
        if isinstance(loss, str) and loss == "auto":
            loss = {
                name: keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                for name in OUTPUTS
            }
            kwargs.setdefault("loss_weights", dict.fromkeys(OUTPUTS, 0.5))
        if isinstance(metrics, str) and metrics == "auto":
            metrics = {
                name: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")] for name in OUTPUTS
            }
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "max_answer_length": self.max_answer_length,
            "n_best": self.n_best,
            "null_threshold": self.null_threshold,
            "language": self.language,
            "dropout": self.dropout,
        }
