"""The BERT encoder with word vectors at its input and its output."""

import keras
from keras import ops

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.layers import (
    Dropout,
    InputFusion,
    MaskedPooling,
    OutputFusion,
    StaticDropout,
    StaticEmbedding,
)
from tf_bertembed.models.arguments import check_fusion, check_not_negative
from tf_bertembed.models.encoder_view import EncoderView
from tf_bertembed.models.layer_maker import LayerMaker, encoder_inputs
from tf_bertembed.models.lora import AdaptableBackbone
from tf_bertembed.text import BertEmbedTokenizer, Preprocessor

# Arguments stored under their own names; `position_embedding` is a layer's name.
_CONFIGURED = (
    *("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim", "dropout"),
    *("max_sequence_length", "num_segments", "embedding_dim", "activation", "norm_first"),
    *("layer_norm_epsilon", "num_tags", "static_vocabulary_size", "static_dim"),
    *("input_fusion", "output_fusion", "static_trainable", "static_dropout", "static_normalize"),
    "normalize_encoded",
)


@keras.saving.register_keras_serializable("tf_bertembed")
class BertEmbedBackbone(AdaptableBackbone):
    """A BERT encoder that static word vectors can join.

    Takes a dict of `token_ids`, `segment_ids` (int32 `[B, T]`) and
    `padding_mask` (bool `[B, T]`), with `static_ids` (int32 `[B, T]`) where
    there is a table of word vectors and `tag_ids` where there are tags.
    Returns a dict of `sequence_output` `[B, T, D]` and `pooled_output`
    `[B, D]`, where D is `hidden_dim`, or `hidden_dim + static_dim` under
    `output_fusion="concat"`. `text.Preprocessor` makes the inputs.

    Args:
        vocabulary_size: int. The pieces in the vocabulary.
        num_layers: int. The transformer layers.
        num_heads: int. The attention heads of a layer; divides `hidden_dim`.
        hidden_dim: int. The width H of the encoder.
        intermediate_dim: int. The inner width of the feed-forward networks.
        dropout: float. The share dropped in training.
        max_sequence_length: int. The longest sequence, in pieces.
        num_segments: int. The values that `segment_ids` can take.
        embedding_dim: int. The width of the token table; where it differs
            from `hidden_dim` a projection follows. `None` for `hidden_dim`.
        position_embedding: string. `"learned"` or `"sinusoidal"`.
        activation: string. `"gelu"` (exact), `"gelu_tanh"` or `"relu"`.
        norm_first: bool. Normalise before each part and once at the end,
            instead of after each part (BERT).
        layer_norm_epsilon: float. Added to the variance in normalisation.
        num_tags: int. The values that `tag_ids` can take; 0 for no tags.
        static_vocabulary_size: int. The rows of the table of word vectors,
            with row 0; 0 for no table.
        static_dim: int. The width S of a word vector.
        input_fusion: string. `"add"`, `"concat"`, `"gate"` or `None`; see
            `layers.InputFusion`.
        output_fusion: string. `"concat"`, `"add"`, `"gate"` or `None`; see
            `layers.OutputFusion`.
        static_trainable: bool. Whether training changes the word vectors.
        static_dropout: float. The share of the words that lose their vector
            in training; see `layers.StaticDropout`.
        static_normalize: string. `"unit"`, `"standard"` or `None`: what is
            made of a word's vector before it joins; see
            `layers.StaticEmbedding`.
        normalize_encoded: bool. Whether output fusion normalises the
            encoder's vector too, or leaves it as it is.
        dtype: string or `keras.DTypePolicy`. For example `"float32"`,
            `"mixed_float16"` or `"mixed_bfloat16"`; `None` for Keras's own
            (`keras.config.set_dtype_policy`). Weights, softmax, normalisation
            and losses are float32 under each, and a task's `compile` scales
            the loss in float16.
        **kwargs: passed to `keras_nlp.models.Backbone` (`name`, ...).

    Raises:
        BertEmbedError: where the arguments contradict one another.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import models

    backbone = models.BertEmbedBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, static_vocabulary_size=10, static_dim=4,
        output_fusion="concat",
    )
    outputs = backbone({
        "token_ids": np.ones((2, 6), "int32"),
        "segment_ids": np.zeros((2, 6), "int32"),
        "padding_mask": np.ones((2, 6), bool),
        "static_ids": np.zeros((2, 6), "int32"),
    })
    assert outputs["sequence_output"].shape == (2, 6, 12)
    assert outputs["pooled_output"].shape == (2, 12)
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim,
        dropout=0.1,
        max_sequence_length=512,
        num_segments=2,
        embedding_dim=None,
        position_embedding="learned",
        activation="gelu",
        norm_first=False,
        layer_norm_epsilon=1e-12,
        num_tags=0,
        static_vocabulary_size=0,
        static_dim=0,
        input_fusion=None,
        output_fusion=None,
        static_trainable=False,
        static_dropout=0.0,
        static_normalize=None,
        normalize_encoded=True,
        dtype=None,
        **kwargs,
    ):
        embedding_dim = hidden_dim if embedding_dim is None else embedding_dim
        check_at_least(
            1,
            vocabulary_size=vocabulary_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=intermediate_dim,
            max_sequence_length=max_sequence_length,
            num_segments=num_segments,
            embedding_dim=embedding_dim,
        )
        static = {"static_vocabulary_size": static_vocabulary_size, "static_dim": static_dim}
        check_not_negative(num_tags=num_tags, **static)
        check_fusion(static_vocabulary_size, static_dim, input_fusion, output_fusion)
        fused = static_vocabulary_size > 0

        # === Layers ===
        make = LayerMaker(dtype, layer_norm_epsilon)
        self.token_embedding = make.tied_table(vocabulary_size, embedding_dim, "token_embedding")
        self.token_projection = None
        if embedding_dim != hidden_dim:
            self.token_projection = make.dense(hidden_dim, "token_projection")
        self.position_embedding = make.positions(
            max_sequence_length, hidden_dim, position_embedding, "position_embedding"
        )
        self.segment_embedding = make.table(num_segments, hidden_dim, "segment_embedding")
        self.tag_embedding = None
        if num_tags:
            self.tag_embedding = make.table(num_tags, hidden_dim, "tag_embedding")
        self.static_embedding = self.static_dropout_layer = self.input_fusion_layer = None
        if fused and static_dropout:
            self.static_dropout_layer = StaticDropout(static_dropout, name="static_dropout")
        if fused:
            self.static_embedding = StaticEmbedding(
                static_vocabulary_size,
                static_dim,
                normalize=static_normalize,
                trainable=static_trainable,
                dtype=dtype,
                name="static_embedding",
            )
        if input_fusion:
            self.input_fusion_layer = InputFusion(input_fusion, dtype=dtype, name="input_fusion")
        self.embeddings_norm = make.norm("embeddings_norm")
        self.embeddings_dropout = Dropout(dropout, dtype=dtype, name="embeddings_dropout")
        self.transformer_layers = [
            make.transformer(
                num_heads,
                intermediate_dim,
                dropout,
                activation,
                norm_first,
                f"transformer_layer_{index}",
            )
            for index in range(num_layers)
        ]
        self.final_norm = make.norm("final_norm") if norm_first else None
        self.pooler_dense = make.dense(hidden_dim, "pooler", activation="tanh")
        self.output_fusion_layer = self.pooled_fusion_layer = None
        if output_fusion:
            fusion = {"normalize_encoded": normalize_encoded, "dtype": dtype}
            self.output_fusion_layer = OutputFusion(output_fusion, name="output_fusion", **fusion)
            self.pooled_fusion_layer = OutputFusion(output_fusion, name="pooled_fusion", **fusion)
            self.static_pooling = MaskedPooling("mean", dtype=dtype, name="static_pooling")

        # === Functional model ===
        inputs = encoder_inputs(static=fused, tags=num_tags > 0)
        outputs = self._encode(inputs)
        super().__init__(inputs=inputs, outputs=outputs, dtype=dtype, **kwargs)

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.embedding_dim = embedding_dim
        self.position_embedding_kind = position_embedding
        self.activation = activation
        self.norm_first = norm_first
        self.layer_norm_epsilon = layer_norm_epsilon
        self.num_tags = num_tags
        self.static_vocabulary_size = static_vocabulary_size
        self.static_dim = static_dim
        self.input_fusion = input_fusion
        self.output_fusion = output_fusion
        self.static_trainable = static_trainable
        self.static_dropout = static_dropout
        self.static_normalize = static_normalize
        self.normalize_encoded = normalize_encoded

    def _embed(self, inputs, words):
        tokens = self.token_embedding(inputs["token_ids"])
        if self.token_projection is not None:
            tokens = self.token_projection(tokens)
        if self.input_fusion_layer is not None:
            tokens = self.input_fusion_layer(tokens, words)
        embedded = tokens + self.position_embedding(inputs["token_ids"])
        embedded = embedded + self.segment_embedding(inputs["segment_ids"])
        if self.tag_embedding is not None:
            embedded = embedded + self.tag_embedding(inputs["tag_ids"])
        return self.embeddings_dropout(self.embeddings_norm(embedded))

    def _encode(self, inputs, hidden_states=False, attentions=False):
        mask = inputs["padding_mask"]
        words = None
        if self.static_embedding is not None:
            static_ids = inputs["static_ids"]
            if self.static_dropout_layer is not None:
                static_ids = self.static_dropout_layer(static_ids)
            words = self.static_embedding(static_ids)
        x = self._embed(inputs, words)
        states, weights = [x], []
        for layer in self.transformer_layers:
            if attentions:
                x, layer_weights = layer(x, mask, return_attentions=True)
                weights.append(layer_weights)
            else:
                x = layer(x, mask)
            states.append(x)
        if self.final_norm is not None:
            x = states[-1] = self.final_norm(x)
        pooled = self.pooler_dense(x[:, 0, :])
        if self.output_fusion_layer is not None:
            known = ops.logical_and(static_ids > 0, mask)
            x = self.output_fusion_layer(x, words, known)
            pooled_words = self.static_pooling(words, known)
            pooled = self.pooled_fusion_layer(pooled, pooled_words, ops.any(known, axis=1))
        outputs = {"sequence_output": x, "pooled_output": pooled}
        if hidden_states:
            outputs["hidden_states"] = states
        if attentions:
            outputs["attentions"] = weights
        return outputs

    def with_outputs(self, hidden_states=False, attentions=False):
        """The same encoder, sharing every weight, with more outputs.

        Args:
            hidden_states: bool. Add `hidden_states`, a list of
                `num_layers + 1` tensors `[B, T, H]`: the embeddings, then
                each layer's output, before any output fusion.
            attentions: bool. Add `attentions`, a list of `num_layers` tensors
                `[B, num_heads, T, T]`, float32.

        Returns:
            A `keras.Model` from the backbone's inputs to a dict.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import models

        backbone = models.BertEmbedBackbone(100, 2, 2, 8, 16)
        inputs = {
            "token_ids": np.ones((1, 5), "int32"),
            "segment_ids": np.zeros((1, 5), "int32"),
            "padding_mask": np.ones((1, 5), bool),
        }
        outputs = backbone.with_outputs(hidden_states=True, attentions=True)(inputs)
        assert len(outputs["hidden_states"]) == 3
        assert outputs["attentions"][0].shape == (1, 2, 5, 5)
        ```
        """
        return EncoderView(self, hidden_states, attentions)

    @property
    def output_dim(self):
        """The width D of `sequence_output` and `pooled_output`."""
        return self.hidden_dim + (self.static_dim if self.output_fusion == "concat" else 0)

    def set_static_vectors(self, matrix):
        """Fill the table of word vectors.

        Args:
            matrix: array of shape `[static_vocabulary_size, static_dim]`,
                float; row 0 zeros (see `vectors.static_table`).

        Raises:
            BertEmbedError: where the backbone has no such table, or the
                matrix does not fit it.

        Example:

        ```python
        import numpy as np
        from tf_bertembed import models

        backbone = models.BertEmbedBackbone(
            100, 1, 2, 8, 16, static_vocabulary_size=2, static_dim=3, input_fusion="add"
        )
        backbone.set_static_vectors(np.array([[0, 0, 0], [1, 2, 3]]))
        ```
        """
        if self.static_embedding is None:
            raise BertEmbedError(
                "This backbone has no table of word vectors. Build it with "
                "`static_vocabulary_size`, `static_dim` and `input_fusion` or `output_fusion`."
            )
        self.static_embedding.set_vectors(matrix)

    def get_config(self):
        config = super().get_config()
        config.update({name: getattr(self, name) for name in _CONFIGURED})
        config["position_embedding"] = self.position_embedding_kind
        return config


# keras-nlp finds a tokenizer or preprocessor of a preset by its backbone.
BertEmbedTokenizer.backbone_cls = Preprocessor.backbone_cls = BertEmbedBackbone
