"""Labels on words: named entities, parts of speech."""

import keras
import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import FirstPieces
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.tasks.label_set import label_names
from tf_bertembed.tasks.tagging.answers import TaggerAnswers
from tf_bertembed.tasks.tagging.tag_accuracy import NO_TAG, TagAccuracy
from tf_bertembed.tasks.tagging.word_labels import WordLabels, check_counts, ragged_rows
from tf_bertembed.text import TaggingPreprocessor
from tf_bertembed.text.checks import check_texts
from tf_bertembed.text.tagging_preprocessor import as_words


@keras.saving.register_keras_serializable("tf_bertembed")
class TokenClassifier(TaggerAnswers, BertEmbedTask):
    """Assigns a label to each word of a text.

    The head is one dense layer over the vector of each word's first piece;
    other pieces, `[CLS]`, `[SEP]` and padding are no part of loss, metrics or
    answers. With a backbone of `output_fusion="concat"` it sees the encoder's
    vector and the vector of the whole word side by side.

    `model(features)` and `predict` answer logits, `[B, W, len(labels)]`
    float32, zeros behind a text's last word; the exported model and `answer`
    give words, tags and their places in the text and, where the labels are
    tags of entities (`B-PER`; IOB1, IOB2, BIOES, BMES or BILOU), the entities
    as seqeval finds them. A text that is too long for the backbone is read
    through windows (see `text.TaggingPreprocessor`), so that every word gets
    its tag.

    Args:
        backbone: a `BertEmbedBackbone`.
        labels: list of strings, the tags, or an int, their number (then named
            `"0"`, `"1"`, ...).
        preprocessor: a `TaggingPreprocessor`, whose `split` says what a word
            of a text is; `None` where `fit` gets features.
        dropout: float. The share of a word's vector dropped in training.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Raises:
        BertEmbedError: where there are fewer than two labels, one twice, or
            one that is no string, or the preprocessor knows no words.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "ada", "wrote"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    tagger = tasks.TokenClassifier(
        backbone, ["O", "B-PER", "I-PER"], text.TaggingPreprocessor(tokenizer, 16)
    )
    tagger.compile(run_eagerly=True)
    tagger.fit([["Ada", "wrote"], ["wrote"]], [["B-PER", "O"], ["O"]], verbose=0)
    assert tagger.predict(["Ada wrote"], verbose=0).shape == (1, 2, 3)
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    preprocessor_cls = TaggingPreprocessor

    def __init__(self, backbone, labels, preprocessor=None, dropout=0.1, **kwargs):
        names = label_names(labels)
        if preprocessor is not None and not isinstance(preprocessor, TaggingPreprocessor):
            raise BertEmbedError(
                "A `text.TaggingPreprocessor` was expected, which knows words. Received: "
                f"{type(preprocessor).__name__}."
            )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        policy = backbone.dtype_policy
        self.first_pieces = FirstPieces(dtype=policy, name="first_pieces")
        self.output_dropout = keras.layers.Dropout(dropout, dtype=policy, name="output_dropout")
        self.output_dense = keras.layers.Dense(
            len(names), kernel_initializer=bert_initializer(), dtype="float32", name="logits"
        )

        # === Functional model ===
        counts = keras.Input(shape=(), dtype="int32", name="window_counts")
        places = keras.Input(shape=(None,), dtype="int32", name="word_places")
        pieces = backbone(backbone.input)["sequence_output"]
        words = self.output_dropout(self.first_pieces(pieces, counts, places))
        logits = self.output_dense(words)
        there = keras.ops.expand_dims(keras.ops.cast(places >= 0, "float32"), -1)
        super().__init__(
            inputs={**backbone.input, "window_counts": counts, "word_places": places},
            outputs=logits * there,
            **kwargs,
        )

        # === Config ===
        self.labels = names
        self.dropout = dropout
        self._word_labels = WordLabels(names)

    def _unread_layers(self):
        return (self.backbone.pooler_dense, self.backbone.pooled_fusion_layer)

    def compile(self, optimizer="auto", loss="auto", metrics="auto", **kwargs):
        """Configure training, with defaults for fine-tuning.

        Args:
            optimizer: a `keras.Optimizer`, or `"auto"` for AdamW at 5e-5.
            loss: a `keras.Loss`, or `"auto"` for the cross-entropy of logits,
                the mean over words. Its `y_true` is -1 where there is no word.
            metrics: list of metrics, or `"auto"` for the accuracy over words.
            **kwargs: passed to `keras.Model.compile`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        tagger = tasks.TokenClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), 3)
        tagger.compile(optimizer="adam")
        ```
        """
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = AdamW(5e-5)
        if isinstance(loss, str) and loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=NO_TAG)
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [TagAccuracy(name="accuracy")]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def fit(self, x=None, y=None, batch_size=None, sample_weight=None, class_weight=None, **kwargs):
        """Train, with the manners of `keras.Model.fit`.

        Args:
            x: list of N lists of words, or of N texts; a dict of features; or
                a `tf.data.Dataset` of batches of such, ragged.
            y: list of N lists of tags, names or numbers, one for each word;
                for features numbers `[N, W]`, -1 where there is no word.
                `None` where `x` is a dataset.
            batch_size: int. Texts in a step, 32 by default.
            sample_weight: float `[N]`. A weight for each text.
            class_weight: dict from tags to weights, others weigh 1; or
                `"balanced"`: all tags weigh the same together.
            **kwargs: as for every task (`validation_data`,
                `validation_split`, `shuffle`), or passed to `keras.Model.fit`
                (`epochs`, `callbacks`, ...).

        Returns:
            A `keras.callbacks.History`.

        Raises:
            BertEmbedError: where tags, weights or lengths do not fit, or a
                row is neither words nor a text (the message names it).

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "we", "run"])
        tagger = tasks.TokenClassifier(
            models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
            ["PRON", "VERB"],
            text.TaggingPreprocessor(tokenizer, 16),
        )
        tagger.compile(run_eagerly=True)
        history = tagger.fit(["we run"], [["PRON", "VERB"]], class_weight="balanced", verbose=0)
        assert history.history["loss"][0] > 0
        ```
        """
        if class_weight is not None:
            if isinstance(x, (tf.data.Dataset, dict)):
                raise BertEmbedError(
                    "`class_weight` is for lists of words or texts. Received: a "
                    f"{type(x).__name__}. Give weights of words in its place."
                )
            y = ragged_rows(self.encode_labels(y))
            sample_weight = self._word_labels.weigh(y, class_weight, sample_weight)
        return super().fit(x, y, batch_size, sample_weight, **kwargs)

    def predict(self, x, batch_size=None, **kwargs):
        """Compute logits.

        Args:
            x: as for `fit`.
            batch_size: int. Texts in a step, 32 by default.
            **kwargs: passed to `keras.Model.predict`.

        Returns:
            Float32 array `[N, W, len(labels)]`, W the words of the longest
            text; zeros where there is no word.

        Raises:
            BertEmbedError: where a row is neither words nor a text.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "we", "run"])
        tagger = tasks.TokenClassifier(
            models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
            ["PRON", "VERB"],
            text.TaggingPreprocessor(tokenizer, 16, split="characters"),
        )
        assert tagger.predict(["我们 run", "we"], verbose=0).shape == (2, 5, 2)
        ```
        """
        if self.preprocessor is None or isinstance(x, (tf.data.Dataset, dict)):
            logits = super().predict(x, batch_size, **kwargs)
            # Keras joins batches of different widths to a ragged tensor.
            return logits.to_tensor().numpy() if isinstance(logits, tf.RaggedTensor) else logits
        self._check_before_steps()
        x = self._texts(x)
        lengths = self.preprocessor.split_words(x)[1].row_lengths()
        width = max(1, int(tf.reduce_max(lengths)))

        def features(x):
            made = self.preprocess_samples(x)
            places = made["word_places"]
            missing = [[0, 0], [0, width - tf.shape(places)[1]]]
            return {**made, "word_places": tf.pad(places, missing, constant_values=NO_TAG)}

        dataset = self._dataset(x, None, None, batch_size, shuffle=False).map(features)
        # Past the method that would make features of features.
        return keras.Model.predict(self, dataset, **kwargs)

    def _texts(self, x):
        if self.preprocessor is None or isinstance(x, dict):
            return x
        if tf.is_tensor(x):
            return x
        in_lists = isinstance(next(iter(x), None), (list, tuple, np.ndarray))
        return as_words(x) if in_lists else tf.constant(check_texts(x), tf.string)

    def _dataset(self, x, y, sample_weight, batch_size, shuffle):
        if isinstance(x, dict):
            if isinstance(y, tf.RaggedTensor):
                y = y.to_tensor(NO_TAG, shape=[None, np.shape(x["word_places"])[1]])
        elif y is not None and self.preprocessor is not None:
            # A batch is as wide as its longest text, and no wider.
            y = ragged_rows(y)
            words = self.preprocessor.split_words(x)[1]
            check_counts(words.row_lengths().numpy(), y.row_lengths().numpy())
        return super()._dataset(x, y, sample_weight, batch_size, shuffle)

    def encode_labels(self, y):
        """Turn tags into numbers; numbers pass through.

        Args:
            y: list of N lists of strings or ints; ragged tensor of such; or
                ints `[N, W]`, -1 where there is no word; or `None`.

        Returns:
            Numbers, a ragged int32 tensor `[N, (W)]`, for ints `[N, W]` an
            array of the same shape; or `None`.

        Raises:
            BertEmbedError: where a tag is none of the classifier's, or a row
                is no list.

        Example:

        ```python
        from tf_bertembed import models, tasks

        tagger = tasks.TokenClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), ["N", "V"])
        assert tagger.encode_labels([["V", "N"], ["N"]]).to_list() == [[1, 0], [0]]
        ```
        """
        return None if y is None else self._word_labels.encode_rows(y)

    def encode_label_batches(self, dataset):
        """Turn the tags in a dataset of batches into numbers.

        Args:
            dataset: a `tf.data.Dataset` of batches `(x, y)` or
                `(x, y, sample_weight)`, `y` ragged strings or ints `[B, (W)]`,
                or ints `[B, W]`, -1 where there is no word.

        Returns:
            A `tf.data.Dataset` with numbers in place of strings. An unknown
            tag stops it with an error that names the tag.

        Raises:
            BertEmbedError: where the dataset has no tags.

        Example:

        ```python
        import tensorflow as tf
        from tf_bertembed import models, tasks

        tagger = tasks.TokenClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), ["N", "V"])
        batch = tf.ragged.constant([["a", "b"], ["c"]]), tf.ragged.constant([["V", "N"], ["N"]])
        _, y = next(iter(tagger.encode_label_batches(tf.data.Dataset.from_tensors(batch))))
        assert y.to_list() == [[1, 0], [0]]
        ```
        """
        return self._word_labels.encode_row_batches(dataset)

    def get_config(self):
        return {**super().get_config(), "labels": self.labels, "dropout": self.dropout}
