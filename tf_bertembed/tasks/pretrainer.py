"""Masked words and next sentences: how a backbone learns from plain text."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import MaskedLMHead
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.tasks.text_embedding import mean_embedding

BERT_DEVIATION = 0.02  # of a fresh token table's components
LONG_ROWS = 2 * BERT_DEVIATION


@keras.saving.register_keras_serializable("tf_bertembed")
class SharedCrossentropy(keras.metrics.SparseCategoricalCrossentropy):
    """Takes labels on the way that losses of Keras take them.

    TensorFlow then sees that loss and metric are one computation, which is
    the most costly of the head.
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(ops.cast(y_true, "float32"), y_pred, sample_weight)


@keras.saving.register_keras_serializable("tf_bertembed")
class BestGuessAccuracy(keras.metrics.MeanMetricWrapper):
    """How often the highest logit is the label's.

    Keras's own looks at every logit four times more, for the sake of zeros
    with a sign.
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(_is_best_guess, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _is_best_guess(y_true, y_pred):
    guesses = tf.argmax(y_pred, axis=-1)
    labels = tf.reshape(tf.cast(y_true, tf.int64), tf.shape(guesses))
    return tf.cast(guesses == labels, tf.float32)


@keras.saving.register_keras_serializable("tf_bertembed")
class Pretrainer(BertEmbedTask):
    """Trains a backbone to restore masked pieces and to tell next sentences.

    Takes the backbone's features and `mask_positions` (int32 `[B, M]`), as
    `text.PretrainingExamples` makes them. Answers a dict of float32 logits:
    `masked_lm` `[B, M, vocabulary_size]` and, with `next_sentence`,
    `next_sentence` `[B, 2]`. The head of masked pieces is tied to the token
    table unless told otherwise. The loss counts masked pieces only.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `Preprocessor`, kept with the model when it is saved;
            `fit` takes features and does not use it.
        next_sentence: bool. Whether to predict next sentences too. Without,
            nothing reads the pooler, and it is not trained.
        tie_weights: bool. Whether masked pieces are scored by the token table
            itself. Without, by a table of the head's own.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    documents = [["one two", "two one"], ["two two", "one one"]] * 4
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "two"])
    examples = text.PretrainingExamples(
        documents, tokenizer, sequence_length=16, batch_size=4
    )
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    pretrainer = tasks.Pretrainer(backbone)
    history = pretrainer.fit(examples.epoch(0), verbose=0)
    assert "masked_lm_accuracy" in history.history
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(self, backbone, preprocessor=None, next_sentence=True, tie_weights=True, **kwargs):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.masked_lm_head = MaskedLMHead(
            backbone.token_embedding,
            activation=backbone.activation,
            layer_norm_epsilon=backbone.layer_norm_epsilon,
            tie_weights=tie_weights,
            dtype=backbone.dtype_policy,
            name="masked_lm",
        )
        self.next_sentence_dense = None
        if next_sentence:
            self.next_sentence_dense = keras.layers.Dense(
                2, kernel_initializer=bert_initializer(), dtype="float32", name="next_sentence"
            )

        # === Functional model ===
        positions = keras.Input(shape=(None,), dtype="int32", name="mask_positions")
        encoded = backbone(backbone.input)
        outputs = {"masked_lm": self.masked_lm_head(encoded["sequence_output"], positions)}
        if next_sentence:
            outputs["next_sentence"] = self.next_sentence_dense(encoded["pooled_output"])
        super().__init__(
            inputs={**backbone.input, "mask_positions": positions}, outputs=outputs, **kwargs
        )

        # === Config ===
        self.next_sentence = next_sentence
        self.tie_weights = tie_weights
        self._match_table()

    def compile(self, optimizer="auto", **kwargs):
        """Configure training.

        Args:
            optimizer: a `keras.Optimizer`, or `"auto"` for AdamW at 1e-4.
            **kwargs: passed to `keras.Model.compile`; `loss` and
                `weighted_metrics` are set here unless given.

        Example:

        ```python
        from tf_bertembed import models, tasks

        pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        pretrainer.compile(optimizer="adam")
        ```
        """
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = AdamW(1e-4, weight_decay=0.01)
        # The mean over the pieces that count, not over the places left empty.
        kwargs.setdefault(
            "loss",
            {
                name: keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True, reduction="mean_with_sample_weight"
                )
                for name in self.output_names
            },
        )
        kwargs.setdefault(
            "weighted_metrics",
            {
                name: [
                    BestGuessAccuracy(),
                    SharedCrossentropy(from_logits=True, name="crossentropy"),
                ]
                for name in self.output_names
            },
        )
        super().compile(optimizer=optimizer, **kwargs)

    def _unread_layers(self):
        if self.next_sentence_dense is not None:
            return ()
        return (self.backbone.pooler_dense, self.backbone.pooled_fusion_layer)

    def preprocess_samples(self, x, y=None, sample_weight=None):
        # Masked examples come ready from `text.PretrainingExamples`.
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def start_from_frequencies(self, counts):
        """Start the masked-piece head at the frequencies of the pieces.

        Without it the first steps go into learning how frequent each piece
        is. The head's bias becomes the logarithm of the shares. Where the
        token table began with word vectors, whose rows are long, a tied head
        would also make wild guesses and unlearn them first: its normalisation
        is scaled so that the table's part of a logit deviates as little as
        BERT's own start makes it (as a new `Pretrainer` does by itself for a
        backbone that was warm-started before).

        Args:
            counts: array `[vocabulary_size]`. How often each piece occurs in
                the corpus; 1 is added to each.

        Raises:
            BertEmbedError: where the length is not the vocabulary's.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import models, tasks

        pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        pretrainer.start_from_frequencies(np.arange(100))
        ```
        """
        counts = np.asarray(counts, "float64")
        if counts.shape != (self.backbone.vocabulary_size,):
            raise BertEmbedError(
                "One count for each piece was expected: shape "
                f"({self.backbone.vocabulary_size},). Received: {counts.shape}."
            )
        shares = (counts + 1.0) / (counts + 1.0).sum()
        self.masked_lm_head.output_bias.assign(np.log(shares))
        self._match_table()

    def start_from_token_table(self):
        """Start the table of a head that is not tied from the token table.

        After `models.warm_start` both then begin with word vectors; with the
        token table alone an untied head learns hardly faster than from a
        random start. A tied head is left as it is.

        Example:

        ```python
        from tf_bertembed import models, tasks

        backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
        pretrainer = tasks.Pretrainer(backbone, tie_weights=False)
        pretrainer.start_from_token_table()
        table = pretrainer.masked_lm_head.output_embeddings.numpy()
        assert (table == backbone.token_embedding.embeddings.numpy()).all()
        ```
        """
        table = self.masked_lm_head.output_embeddings
        table.assign(self.backbone.token_embedding.embeddings)
        self._match_table()

    def _match_table(self):
        """Scale the head's normalisation so that long rows do not make wild guesses."""
        deviation = np.std(self.masked_lm_head.output_embeddings)
        if deviation > LONG_ROWS:
            gamma = self.masked_lm_head.transform_norm.gamma
            gamma.assign(np.full(gamma.shape, BERT_DEVIATION / deviation))

    def signatures(self):
        """What an exported model answers: `serving_default`, `embed`.

        Returns:
            A dict of functions from features to named tensors: both give
            `embedding` `[B, D]`, the mean of the encoder's output over the
            pieces of each text.

        Example:

        ```python
        from tf_bertembed import models, tasks

        pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        assert sorted(pretrainer.signatures()) == ["embed", "serving_default"]
        ```
        """
        embed = mean_embedding(self.backbone)
        return {"serving_default": embed, "embed": embed}

    def get_config(self):
        return {
            **super().get_config(),
            "next_sentence": self.next_sentence,
            "tie_weights": self.tie_weights,
        }
