"""Vectors of texts whose cosine says how near their meanings are."""

import math
import numbers
from pathlib import Path

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.layers import MaskedPooling, SifPooling
from tf_bertembed.layers.initializers import bert_initializer
from tf_bertembed.models import SentenceSettings
from tf_bertembed.models.sentence_transformers import write_sentence_settings
from tf_bertembed.tasks.adamw import AdamW
from tf_bertembed.tasks.kept import Kept
from tf_bertembed.tasks.label_set import LabelSet, label_names
from tf_bertembed.tasks.similarity.answers import SentenceAnswers
from tf_bertembed.tasks.similarity.pair_scores import ScoreRange, cosine, cosine_table
from tf_bertembed.tasks.similarity.pair_training import PairTrainedTask
from tf_bertembed.tasks.similarity.pearson_metric import PearsonMetric
from tf_bertembed.tasks.similarity.ranking_loss import RankingLoss
from tf_bertembed.tasks.similarity.sentence_maps import SentenceMaps
from tf_bertembed.text import count_pieces

POOLINGS = (*MaskedPooling.MODES, "sif")
OBJECTIVES = ("cosine", "ranking", "softmax")


@keras.saving.register_keras_serializable("tf_bertembed")
class SentenceEncoder(SentenceAnswers, SentenceMaps, PairTrainedTask):
    """Turns each text into one vector, trained on pairs of texts.

    A bi-encoder: both texts of a pair go through the same encoder alone, so
    that vectors can be kept and searched. `model(features)` and
    `predict(texts)` give `[B, D]` float32; for pairs `[B, 2, D]`, from
    features `[B, 2, T]`. What `fit((first, second), y)` learns is told by
    `objective`:

    - `"cosine"`: y are scores; their squared distance from the cosine.
      `score_range` is mapped to 0..1 first, so that 2.5 of 0..5 wants a cosine
      of 0.5.
    - `"ranking"`: y is `None`; each first text must score higher with its own
      second text than with all others of the batch (multiple-negatives
      ranking). Larger batches make it harder, and mostly better.
    - `"softmax"`: y are labels; a dense layer over `[u; v; |u - v|]` that only
      training and `answer` use.

    Losses and metrics given to `compile` see `y`, and what the objective
    makes of the two vectors: cosines `[B]`, scores `[B, B]` (y are then the
    right columns), or logits `[B, len(labels)]`.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `Preprocessor`; `None` where `fit` gets features.
        pooling: string. How `sequence_output` becomes one vector: `"mean"`,
            `"max"`, `"cls"` (the first piece, to which `output_fusion` brings
            no word) or `"sif"` (see `layers.SifPooling`).
        objective: string. `"cosine"`, `"ranking"` or `"softmax"`.
        normalize: bool. Whether vectors are brought to length 1.
        labels: list of strings, for `"softmax"` alone: the names of the
            classes.
        score_range: pair of floats, for `"cosine"`: the scores that stand for
            cosines 0 and 1.
        scale: float, for `"ranking"`: what cosines are multiplied by.
        symmetric: bool, for `"ranking"`: whether second texts must find their
            first ones too.
        projection_dim: int. The width of a linear map after pooling, which
            `whitened` and `without_components` fill; `None` for no map.
        frequencies: for `"sif"`: counts of pieces, an array
            `[vocabulary_size]` as `text.count_pieces` gives it; or counts of
            words, a dict. `None` where they are loaded with the weights.
        sif_a: float, for `"sif"`; see `layers.SifPooling`.
        **kwargs: passed to `keras_nlp.models.Task` (`name`, `compile`).

    Raises:
        BertEmbedError: where an argument is not as above.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16, max_sequence_length=16)
    encoder = tasks.SentenceEncoder(
        backbone, text.Preprocessor(tokenizer, sequence_length=16), score_range=(0, 5)
    )
    encoder.compile(run_eagerly=True)
    pairs = ["good film", "good"], ["bad film", "good film"]
    encoder.fit(pairs, [0.5, 4.0], epochs=1, verbose=0)
    assert encoder.predict(["good"], verbose=0).shape == (1, 8)
    assert -1 <= encoder.answer(pairs)[0]["score"] <= 1
    ```

    References:
        - Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084
        - Henderson et al., 2017, https://arxiv.org/abs/1705.00652
    """

    def __init__(
        self,
        backbone,
        preprocessor=None,
        pooling="mean",
        objective="cosine",
        normalize=False,
        labels=None,
        score_range=(0.0, 1.0),
        scale=20.0,
        symmetric=False,
        projection_dim=None,
        frequencies=None,
        sif_a=1e-3,
        **kwargs,
    ):
        for name, value, known in (
            ("pooling", pooling, POOLINGS),
            ("objective", objective, OBJECTIVES),
        ):
            if value not in known:
                raise BertEmbedError(f"`{name}` must be one of {known}. Received: {value!r}.")
        if (labels is not None) != (objective == "softmax"):
            raise BertEmbedError(
                '`labels` are the names of the classes under `objective="softmax"`, and None under '
                f"the others. Received: labels={labels!r:.100}, objective={objective!r}."
            )
        if (frequencies is not None) and pooling != "sif":
            raise BertEmbedError(
                f'`frequencies` are for `pooling="sif"`. Received: pooling={pooling!r}.'
            )
        names = None if labels is None else label_names(labels)
        targets = ScoreRange(score_range) if names is None else LabelSet(names)
        if not isinstance(scale, numbers.Real) or not 0 < scale < math.inf:
            raise BertEmbedError(f"`scale` must be a finite number above 0. Received: {scale!r}.")
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # Sums over pieces and lengths of vectors want more than half precision.
        if pooling == "sif":
            self.pooling_layer = SifPooling(
                backbone.vocabulary_size, sif_a, dtype="float32", name="pooling"
            )
        else:
            self.pooling_layer = MaskedPooling(pooling, dtype="float32", name="pooling")
        self.projection = None
        if projection_dim is not None:
            self.projection = keras.layers.Dense(
                projection_dim,
                kernel_initializer="identity",
                trainable=False,
                dtype="float32",
                name="projection",
            )
        self.normalization = None
        if normalize:
            self.normalization = keras.layers.UnitNormalization(
                dtype="float32", name="normalization"
            )

        # === Functional model ===
        self.objective = objective
        self.symmetric = symmetric
        inputs = backbone.input
        outputs = self._pool(backbone(inputs)["sequence_output"], inputs)
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        # Pairs have a dimension more than single texts.
        self.input_spec = None

        # === Config ===
        self._kept_encoder = Kept()
        self.pooling = pooling
        self.normalize = normalize
        self.score_range = tuple(map(float, score_range))
        self.scale = scale
        self.projection_dim = projection_dim
        self.sif_a = sif_a
        self.labels = names
        self._targets = targets
        self.pair_dense = None
        if names is not None:
            self.pair_dense = keras.layers.Dense(
                len(names), kernel_initializer=bert_initializer(), dtype="float32", name="logits"
            )
            self.pair_dense.build((None, 3 * self.output_dim))
        if frequencies is not None:
            self.set_frequencies(frequencies)

    def _pool(self, sequence, features, scaled=True):
        arguments = (features["token_ids"],) if isinstance(self.pooling_layer, SifPooling) else ()
        pooled = self.pooling_layer(sequence, features["padding_mask"], *arguments)
        for layer in (self.projection, self.normalization if scaled else None):
            pooled = pooled if layer is None else layer(pooled)
        return pooled

    def _unread_layers(self):
        return (self.backbone.pooler_dense, self.backbone.pooled_fusion_layer)

    @property
    def output_dim(self):
        """The width D of the vectors."""
        return self.output_shape[-1]

    def set_frequencies(self, frequencies):
        """Take the weights of SIF pooling from counts.

        Args:
            frequencies: array `[vocabulary_size]`, counts of pieces; or a
                dict, counts of words, which the preprocessor's tokenizer cuts.

        Raises:
            BertEmbedError: where the pooling is another, or counts do not fit
                the vocabulary.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "the", "film"])
        encoder = tasks.SentenceEncoder(
            models.BertEmbedBackbone(7, 1, 2, 8, 16), text.Preprocessor(tokenizer, 16), "sif"
        )
        encoder.set_frequencies({"the": 90, "film": 10})
        assert encoder.predict(["The film"], verbose=0).shape == (1, 8)
        ```
        """
        if self.pooling != "sif":
            raise BertEmbedError(
                f'Frequencies are for `pooling="sif"`. Received: pooling={self.pooling!r}.'
            )
        if hasattr(frequencies, "items"):
            if self.preprocessor is None:
                raise BertEmbedError("Counts of words need a `preprocessor` to cut them by.")
            frequencies = count_pieces(frequencies, self.preprocessor.tokenizer)
        self.pooling_layer.set_frequencies(frequencies)

    def check_parts(self):
        super().check_parts()
        if self.pooling == "sif" and not self.pooling_layer.has_frequencies:
            raise BertEmbedError(
                "SIF pooling needs to know how common pieces are. Pass `frequencies`, or call "
                "`set_frequencies`."
            )

    @property
    def unlabelled(self):
        """bool. Whether pairs alone are learned from, without scores or labels."""
        return self.objective == "ranking"

    def compare(self, embeddings):
        """Compute what the objective makes of the vectors of pairs.

        Args:
            embeddings: tensor `[B, 2, D]`.

        Returns:
            Cosines `[B]`, scores `[B, B]` of each first text with each second
            one, or logits `[B, len(labels)]`; float32.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import models, tasks

        encoder = tasks.SentenceEncoder(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        assert np.allclose(encoder.compare(np.ones((3, 2, 8), "float32")), 1)
        ```
        """
        first, second = embeddings[:, 0], embeddings[:, 1]
        if self.objective == "softmax":
            both = (first, second, ops.abs(first - second))
            return self.pair_dense(ops.concatenate(both, axis=-1))
        if self.objective == "ranking":
            return self.scale * cosine_table(first, second)
        return cosine(first, second)

    def compile(self, optimizer="auto", loss="auto", metrics="auto", **kwargs):
        """Configure training, with defaults for fine-tuning.

        Args:
            optimizer: a `keras.Optimizer`, or `"auto"` for AdamW at 5e-5.
            loss: a `keras.Loss`, or `"auto"` for the mean squared error of
                cosines, `RankingLoss`, or the cross-entropy of logits.
            metrics: list of metrics, or `"auto"` for Pearson's correlation of
                cosines with scores, or for accuracy: of the labels, or of
                finding its own second text in the batch.
            **kwargs: passed to `keras.Model.compile`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        encoder = tasks.SentenceEncoder(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        encoder.compile(optimizer="adam", metrics=["mae"])
        ```
        """
        objective = self.objective
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = AdamW(5e-5)
        if isinstance(loss, str) and loss == "auto":
            loss = {
                "cosine": keras.losses.MeanSquaredError,
                "ranking": lambda: RankingLoss(self.symmetric),
                "softmax": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            }[objective]()
        if isinstance(metrics, str) and metrics == "auto":
            accuracy = keras.metrics.SparseCategoricalAccuracy
            metrics = [PearsonMetric() if objective == "cosine" else accuracy(name="accuracy")]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def save_to_preset(self, preset_dir, **kwargs):
        """Write the encoder as a folder that `from_preset` reads.

        What sentence-transformers' files can say of pooling and lengths is
        written beside it, so that `models.load_encoder` gives the same
        vectors where the pooling is mean, max or cls and no linear map
        follows.

        Args:
            preset_dir: string or `pathlib.Path`. The folder.
            **kwargs: passed to `keras_nlp.models.Task.save_to_preset`.
        """
        super().save_to_preset(str(preset_dir), **kwargs)
        if self.preprocessor is None or self.projection is not None or self.pooling == "sif":
            return
        settings = SentenceSettings(
            Path(preset_dir), self.pooling, self.normalize, self.preprocessor.sequence_length
        )
        write_sentence_settings(settings, settings.folder)

    def get_config(self):
        return {
            **super().get_config(),
            "pooling": self.pooling,
            "objective": self.objective,
            "normalize": self.normalize,
            "labels": self.labels,
            "score_range": list(self.score_range),
            "scale": self.scale,
            "symmetric": self.symmetric,
            "projection_dim": self.projection_dim,
            "sif_a": self.sif_a,
        }
