"""From strings to vectors in bulk, with as little padding as there can be."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, check_limits, is_whole
from tf_bertembed.common.windows import WINDOW
from tf_bertembed.layers import MaskedPooling
from tf_bertembed.models.backbone_graph import BackboneGraph
from tf_bertembed.models.batch_runs import (
    MAX_PIECES,
    default_streams,
    encode_batches,
    progress_or,
)
from tf_bertembed.models.huggingface_tokenizer import longest_text
from tf_bertembed.models.layer_mixing import mixed_states
from tf_bertembed.models.loading import checkpoint_format, load
from tf_bertembed.models.names import find_checkpoint
from tf_bertembed.models.parts import check_parts
from tf_bertembed.models.sentence_transformers import read_sentence_transformers
from tf_bertembed.models.tokenizers import load_tokenizer
from tf_bertembed.text import Preprocessor, piece_batches
from tf_bertembed.text.checks import check_texts

FEWEST_PIECES = 256
LONGEST = 256


def _pooled_by(mode):
    layer = MaskedPooling(mode, dtype="float32")
    return lambda sequence, features: layer(sequence, features["padding_mask"])


def _sequence_of(backbone, layers, layer_weights):
    if layers is None and layer_weights is not None:
        raise BertEmbedError(
            "`layer_weights` needs `layers`, the layers that they are for. Received: "
            f"layer_weights={layer_weights!r}."
        )
    if layers is None:
        return lambda features: backbone(features, training=False)["sequence_output"]
    return mixed_states(backbone, layers, layer_weights)


class TextEncoder:
    """Turns texts into vectors with a backbone.

    Texts are sorted by their length in pieces, so that hardly a piece that
    is computed is padding, and two batches run at a time, since one alone
    leaves cores idle between its products. One graph serves every shape.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `text.Preprocessor` for single texts.
        pooling: string, `"mean"`, `"max"` or `"cls"` (see
            `layers.MaskedPooling`); or a function from `sequence_output`
            `[B, T, D]` and the features to vectors `[B, E]`.
        normalize: bool. Whether vectors are brought to length 1.
        prompt: string. What is put before each text.
        lowercase: bool. Whether texts are lower-cased before the tokenizer
            sees them, whatever the tokenizer does itself.
        output_dim: int. The width of the vectors where a function pools;
            `None` for the backbone's.
        layers: int or list of ints. Whose states are pooled: 0 for the
            embeddings, i for layer i, -1 for the last one, of several the
            mean; all of them before any `output_fusion`. `None` for
            `sequence_output`.
        layer_weights: list of floats, one for each of `layers`, for a
            weighted mean; `None` for equal weights.

    Raises:
        BertEmbedError: where parts, layers or weights do not fit.

    Example:

    ```python
    from tf_bertembed import models, text

    vocabulary = [*text.SPECIAL_TOKENS, "a", "text", "longer"]
    backbone = models.BertEmbedBackbone(len(vocabulary), 1, 2, 8, 16)
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 32)
    encoder = models.TextEncoder(backbone, preprocessor)
    assert encoder.encode(["a text", "a longer text", ""]).shape == (3, 8)
    ```

    References:
        Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084
    """

    def __init__(
        self,
        backbone,
        preprocessor,
        pooling="mean",
        normalize=False,
        prompt="",
        lowercase=False,
        output_dim=None,
        layers=None,
        layer_weights=None,
    ):
        check_parts(backbone, preprocessor)
        if preprocessor.padding != "longest" or type(preprocessor) is not Preprocessor:
            # The budget of pieces is reckoned from lengths, so nothing else may be padded to; and
            # a task's own kind may make several rows of a text.
            preprocessor = Preprocessor(
                preprocessor.tokenizer,
                preprocessor.sequence_length,
                static_words=preprocessor.static_words,
            )
        self.backbone = backbone
        self.preprocessor = preprocessor
        width = backbone.output_dim if layers is None else backbone.hidden_dim
        self.output_dim = width if output_dim is None else output_dim
        states = _sequence_of(backbone, layers, layer_weights)
        pool = pooling if callable(pooling) else _pooled_by(pooling)

        def prepared(texts):
            texts = tf.strings.join([prompt, texts]) if prompt else texts
            return tf.strings.lower(texts, encoding="utf-8") if lowercase else texts

        strings = [tf.TensorSpec([None], tf.string)]

        def vectors(texts):
            features = preprocessor(prepared(texts))
            pooled = pool(states(features), features)
            return tf.math.l2_normalize(pooled, axis=1, epsilon=1e-24) if normalize else pooled

        @tf.function(input_signature=strings, jit_compile=False)
        def lengths(texts):
            pieces = preprocessor.tokenizer.tokenize(prepared(texts)).row_lengths()
            return tf.minimum(pieces + 2, preprocessor.sequence_length)

        self._vectors = BackboneGraph(backbone, vectors, strings)
        self._lengths = lengths

    def encode(self, texts, batch_size=None, max_pieces=None, streams=None, advance=None):
        """Encode texts.

        Args:
            texts: sequence of N strings.
            batch_size: int. The most texts in a batch; `None` for as many as
                `max_pieces` lets in.
            max_pieces: int. The most pieces in a batch once padded, which
                bounds the memory that a batch takes, whatever its texts. A
                text that is longer makes a batch alone. `None` for 1024, and
                less where few texts are to be shared out.
            streams: int. The batches that run at a time; `None` for two, or
                for one on a single core.
            advance: function that is told how many more texts are done;
                `None` for a bar on stderr, where that is a terminal.

        Returns:
            An array `[N, output_dim]`, float32, rows in the order of `texts`.

        Raises:
            BertEmbedError: where an input is no text or a limit less than 1.

        Example:

        ```python
        from tf_bertembed import models, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat"])
        backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
        encoder = models.TextEncoder(backbone, text.Preprocessor(tokenizer, 32), normalize=True)
        first, second = encoder.encode(["a cat", "cat"])
        cosine = first @ second
        assert abs(cosine) < 1.001
        ```
        """
        texts = check_texts(texts)
        streams = default_streams() if streams is None else streams
        check_limits(streams=streams, batch_size=batch_size, max_pieces=max_pieces)
        vectors = np.empty((len(texts), self.output_dim), "float32")
        with progress_or(advance, len(texts)) as advance:
            for begin in range(0, len(texts), WINDOW):
                window = texts[begin : begin + WINDOW]
                batches = self.batches(window, batch_size, max_pieces, streams)
                part = vectors[begin : begin + WINDOW]
                encode_batches(self._vectors, window, batches, streams, part, advance)
        return vectors

    def batches(self, texts, batch_size=None, max_pieces=None, streams=1):
        """Cut texts into the batches that `encode` runs.

        Args:
            texts: list of N strings.
            batch_size: int. As for `encode`.
            max_pieces: int. As for `encode`.
            streams: int. As for `encode`.

        Returns:
            A list of int64 arrays, the places in `texts` of each batch.

        Example:

        ```python
        from tf_bertembed import models, text

        vocabulary = [*text.SPECIAL_TOKENS, "a", "text", "longer"]
        backbone = models.BertEmbedBackbone(len(vocabulary), 1, 2, 8, 16)
        preprocessor = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 32)
        encoder = models.TextEncoder(backbone, preprocessor)
        batches = encoder.batches(["a", "a longer text", "text"])
        assert [batch.tolist() for batch in batches] == [[1], [0, 2]]
        ```
        """
        if len(texts) == 1:
            return [np.zeros(1, "int64")]
        lengths = self._lengths(tf.constant(texts)).numpy()
        if max_pieces is None:
            share = -(-int(lengths.sum()) // streams)
            max_pieces = min(MAX_PIECES, max(FEWEST_PIECES, share))
        return piece_batches(lengths, batch_size, max_pieces)


def load_encoder(
    path_or_name,
    pooling=None,
    normalize=None,
    sequence_length=None,
    layers=None,
    layer_weights=None,
    **overrides,
):
    """Load a checkpoint as an encoder of texts.

    Args:
        path_or_name: string or `pathlib.Path`. As for `load`.
        pooling: string. `"mean"`, `"max"` or `"cls"`; `None` for what a
            sentence-transformers folder says, and for `"mean"` elsewhere.
        normalize: bool. Whether vectors are brought to length 1; `None` for
            what a sentence-transformers folder says, and for no elsewhere.
        sequence_length: int. The most pieces of a text, special tokens
            included; `None` for what the folder says, and at most 256 where
            it says nothing.
        layers: int or list of ints. As for `TextEncoder`.
        layer_weights: list of floats. As for `TextEncoder`.
        **overrides: as for `load`.

    Returns:
        A `TextEncoder`.

    Raises:
        MissingFileError: where the folder or a file in it is missing.
        FileFormatError: where a file does not hold what it should.
        BertEmbedError: where a setting does not suit the model.

    Example:

    ```python
    from tf_bertembed import models

    encoder = models.load_encoder("all-minilm-l6-v2")
    cat, law, kitten = encoder.encode(["a cat", "tax law", "a kitten"])
    assert cat @ kitten > cat @ law
    ```
    """
    settings = read_sentence_transformers(path_or_name)
    folder = find_checkpoint(path_or_name) if settings is None else settings.folder
    backbone = load(folder, **overrides)
    longest = backbone.max_sequence_length
    if is_whole(sequence_length) and sequence_length > longest:
        raise BertEmbedError(
            f"`sequence_length` is longer than the position table of {folder}. "
            f"Received: {sequence_length}; at most: {longest}."
        )
    preprocessor = _preprocessor(folder, settings, sequence_length, longest)
    return TextEncoder(
        backbone,
        preprocessor,
        pooling=pooling or (settings.pooling if settings else "mean"),
        normalize=bool(settings and settings.normalize) if normalize is None else normalize,
        prompt=settings.prompt if settings else "",
        lowercase=bool(settings and settings.lowercase),
        layers=layers,
        layer_weights=layer_weights,
    )


def _preprocessor(folder, settings, sequence_length, longest):
    own = checkpoint_format(folder) == "tf-bertembed"
    if own and (folder / "preprocessor.json").exists():
        preprocessor = Preprocessor.from_preset(str(folder))
        if sequence_length is None:
            sequence_length = min(preprocessor.sequence_length, longest)
        preprocessor.sequence_length = sequence_length
        return preprocessor
    if sequence_length is None:
        stated = settings.sequence_length if settings else longest_text(folder, longest)
        sequence_length = stated if settings else min(stated, LONGEST)
    return Preprocessor(load_tokenizer(folder), sequence_length=sequence_length)
