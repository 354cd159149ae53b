"""Vectors of words as they stand in their sentences."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, progress
from tf_bertembed.models.backbone_graph import BackboneGraph
from tf_bertembed.models.layer_mixing import mixed_states
from tf_bertembed.models.parts import check_parts
from tf_bertembed.models.text_encoder import load_encoder
from tf_bertembed.text import piece_batches
from tf_bertembed.text.checks import check_texts

POOLINGS = ("mean", "first", "last")
# Texts whose pieces are known at a time, and pieces of a batch once padded.
WINDOW = 4096
MAX_PIECES = 1024


@dataclasses.dataclass(frozen=True)
class WordVectors:
    """The words of a text, in their order, each with its vector.

    Args:
        words: list of W strings, as written in the text.
        spans: int64 array `[W, 2]`. Where each word begins and ends in the
            text, in code points: `text[begin:end]` is the word.
        vectors: float32 array `[W, H]`.

    Example:

    ```python
    from tf_bertembed import models, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "##s"])
    backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16)
    encoder = models.WordEncoder(backbone, text.Preprocessor(tokenizer, 32))
    (found,) = encoder.encode(["A cats"])
    assert isinstance(found, models.WordVectors)
    assert found.words == ["A", "cats"] and found.spans.tolist() == [[0, 1], [2, 6]]
    ```
    """

    words: list
    spans: np.ndarray
    vectors: np.ndarray


class WordEncoder:
    """Turns words in their sentences into vectors, of any layers of a backbone.

    Words are what the tokenizer makes of a text before it cuts them into
    pieces: between white space, each punctuation mark and each Chinese
    character alone. A word's vector is made of the states of its pieces, so
    that "bank" differs from sentence to sentence. States are the encoder's
    own, before any `output_fusion`.

    Args:
        backbone: a `BertEmbedBackbone`.
        preprocessor: a `text.Preprocessor`.
        layers: int or list of ints. Whose states: 0 for the embeddings, i for
            layer i, -1 for the last one. Of several the mean is taken.
        layer_weights: list of floats, one for each of `layers`, for a
            weighted mean; `None` for equal weights.
        pooling: string. How the pieces of a word become one vector:
            `"mean"`, `"first"` or `"last"`.

    Raises:
        BertEmbedError: where parts, layers or weights do not fit.

    Example:

    ```python
    from tf_bertembed import models

    encoder = models.load_word_encoder("all-minilm-l6-v2")
    texts = ["He sat on the river bank.", "The bank raised its rates.", "The shore of a river."]
    river, money = encoder.encode_spans(texts[:2], [(20, 24), (4, 8)])
    (shore,) = encoder.encode_spans(texts[2:], [(4, 9)])
    assert river @ shore > money @ shore
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(self, backbone, preprocessor, layers=-1, layer_weights=None, pooling="mean"):
        check_parts(backbone, preprocessor)
        if pooling not in POOLINGS:
            raise BertEmbedError(f"`pooling` must be one of {POOLINGS}. Received: {pooling!r}.")
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.pooling = pooling
        self.output_dim = backbone.hidden_dim
        mixed = mixed_states(backbone, layers, layer_weights)

        strings = [tf.TensorSpec([None], tf.string)]

        def states(texts):
            return mixed(preprocessor(texts))

        @tf.function(input_signature=strings, jit_compile=False)
        def pieces(texts):
            ids, starts, ends = preprocessor.tokenizer.tokenize_with_offsets(texts)
            first = preprocessor.tokenizer.starts_word(ids.values)
            return ids.row_splits, starts.values, ends.values, first

        self._states = BackboneGraph(backbone, states, strings)
        self._pieces = pieces

    def encode(self, texts):
        """Encode all words of texts.

        Args:
            texts: sequence of N strings.

        Returns:
            A list of N `WordVectors`. Words behind the preprocessor's
            `sequence_length`, or cut by it, are left out.

        Raises:
            BertEmbedError: where an input is no text.

        Example:

        ```python
        from tf_bertembed import models, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "我", "住", "##s"])
        backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16)
        encoder = models.WordEncoder(backbone, text.Preprocessor(tokenizer, 32), layers=[0, 1])
        found, nothing = encoder.encode(["🙂 我住", ""])
        assert found.words == ["🙂", "我", "住"] and nothing.vectors.shape == (0, 8)
        ```
        """
        texts = check_texts(texts)
        found = [None] * len(texts)
        for row, pieces, states in self._run(texts):
            begins = np.flatnonzero(pieces.first)
            ends = np.append(begins, len(pieces.first))[1:]
            # Of a word that the end of the sequence cuts, too little is known.
            whole = ends <= len(states)
            begins, ends = begins[whole], ends[whole]
            spans = np.stack([pieces.starts[begins], pieces.ends[ends - 1]], axis=1)
            found[row] = WordVectors(
                [texts[row][begin:end] for begin, end in spans],
                spans,
                self._pooled(states, begins, ends),
            )
        return found

    def encode_spans(self, texts, spans):
        """Encode one word, or any stretch, of each text.

        Args:
            texts: sequence of N strings; a text may stand there several times.
            spans: sequence of N pairs of ints. Where the word begins and ends
                in its text, in code points. All pieces that share a character
                with it are taken: all of a Chinese word, say.

        Returns:
            A float32 array `[N, H]`.

        Raises:
            BertEmbedError: where a span is not in its text, holds no piece,
                or reaches behind the preprocessor's `sequence_length`.

        Example:

        ```python
        from tf_bertembed import models, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "##s"])
        backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16)
        encoder = models.WordEncoder(backbone, text.Preprocessor(tokenizer, 32))
        vectors = encoder.encode_spans(["A cats", "cats"], [(2, 6), (0, 4)])
        assert vectors.shape == (2, 8) and abs(vectors[0] - vectors[1]).max() > 0
        ```
        """
        texts = check_texts(texts)
        spans = _check_spans(texts, spans)
        vectors = np.empty((len(texts), self.output_dim), "float32")
        for row, pieces, states in self._run(texts):
            begin, end = spans[row]
            # Pieces that share one character may have empty spans of their own.
            inside = (pieces.starts < end) & (pieces.ends > begin)
            inside |= (
                (pieces.starts == pieces.ends) & (pieces.starts >= begin) & (pieces.starts < end)
            )
            places = np.flatnonzero(inside)
            told = f"{texts[row][begin:end]!r}, characters {begin} to {end} of text {row}"
            if not len(places):
                raise BertEmbedError(f"The tokenizer finds no piece in {told}.")
            if places[-1] >= len(states):
                raise BertEmbedError(
                    f"{told}, lies behind the first {len(states)} pieces, which alone are read. "
                    "Use a preprocessor of a longer `sequence_length`."
                )
            vectors[row] = self._pooled(states, places[:1], places[-1:] + 1)[0]
        return vectors

    def _run(self, texts):
        """Of each text, in any order: its place, its pieces, and the states of those read."""
        longest = self.preprocessor.sequence_length - 2
        with progress("Encoding words", len(texts)) as advance:
            for start in range(0, len(texts), WINDOW):
                window = texts[start : start + WINDOW]
                splits, *columns = (part.numpy() for part in self._pieces(tf.constant(window)))
                lengths = np.minimum(np.diff(splits), longest)
                for batch in piece_batches(lengths + 2, None, MAX_PIECES):
                    states = self._states(tf.constant([window[row] for row in batch])).numpy()
                    for row, found in zip(batch, states, strict=True):
                        own = [column[splits[row] : splits[row + 1]] for column in columns]
                        pieces = _Pieces(window[row], *own)
                        yield start + row, pieces, found[1 : 1 + lengths[row]]
                    advance(len(batch))

    def _pooled(self, states, begins, ends):
        if self.pooling == "first":
            return states[begins]
        if self.pooling == "last":
            return states[ends - 1]
        sums = np.concatenate(
            [np.zeros_like(states[:1], "float64"), np.cumsum(states, 0, "float64")]
        )
        means = (sums[ends] - sums[begins]) / (ends - begins)[:, None]
        return means.astype("float32")


class _Pieces:
    """Where the pieces of a text begin and end in code points, and which begin a word."""

    def __init__(self, text, starts, ends, first):
        if not text.isascii():
            encoded = np.frombuffer(text.encode(), np.uint8)
            # Bytes 10xxxxxx continue a character.
            begun = np.cumsum((encoded & 0xC0) != 0x80)
            characters = np.concatenate([[0], begun])
            starts, ends = characters[starts], characters[ends]
        self.starts, self.ends, self.first = starts.astype("int64"), ends.astype("int64"), first


def _check_spans(texts, spans):
    spans = [tuple(span) for span in spans]
    if len(spans) != len(texts):
        raise BertEmbedError(
            f"Each text needs a span. Received: {len(spans)} spans for {len(texts)} texts."
        )
    for row, (text, span) in enumerate(zip(texts, spans, strict=True)):
        if len(span) != 2 or not 0 <= span[0] < span[1] <= len(text):
            raise BertEmbedError(
                f"A span must be a pair (begin, end) within its text of {len(text)} characters. "
                f"Received: {span} for text {row}."
            )
    return spans


def load_word_encoder(
    path_or_name, layers=-1, layer_weights=None, pooling="mean", sequence_length=None, **overrides
):
    """Load a checkpoint as an encoder of words.

    Args:
        path_or_name: string or `pathlib.Path`. As for `load`.
        layers: int or list of ints. As for `WordEncoder`.
        layer_weights: list of floats. As for `WordEncoder`.
        pooling: string. As for `WordEncoder`.
        sequence_length: int. The most pieces of a text, special tokens
            included; `None` as for `load_encoder`.
        **overrides: as for `load`.

    Returns:
        A `WordEncoder`.

    Raises:
        MissingFileError: where the folder or a file in it is missing.
        FileFormatError: where a file does not hold what it should.
        BertEmbedError: where a setting does not suit the model.

    Example:

    ```python
    from tf_bertembed import models

    encoder = models.load_word_encoder("all-minilm-l6-v2", layers=[-4, -3, -2, -1])
    (found,) = encoder.encode(["An unbelievable café."])
    assert found.words == ["An", "unbelievable", "café", "."]
    assert found.vectors.shape == (4, 384)
    ```
    """
    loaded = load_encoder(path_or_name, sequence_length=sequence_length, **overrides)
    return WordEncoder(loaded.backbone, loaded.preprocessor, layers, layer_weights, pooling)
