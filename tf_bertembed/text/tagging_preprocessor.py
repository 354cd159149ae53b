"""From words, or texts that are cut into words, to features that know the words."""

import keras
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.packing import Layout
from tf_bertembed.text.piece_windows import PieceWindows
from tf_bertembed.text.preprocessor import Preprocessor
from tf_bertembed.text.word_splitting import SPLITS, join_words, split_texts

NONE = -1  # where there is no word, and no tag
SPECIAL_PIECES = 2  # [CLS] and [SEP]


@keras.saving.register_keras_serializable("tf_bertembed")
class TaggingPreprocessor(Preprocessor):
    """Turns lists of words, or texts, into features for labels on words.

    Words are cut into pieces one by one, as published taggers do, and the
    first piece stands for its word. A text is cut into words as `split` says.
    A word of which nothing is left by normalisation (a lone joiner) is one
    `[UNK]`, so that each word has a place. What is too long is not cut off,
    but read through windows that overlap, and each word in one that shows what
    stands around it.

    Where there are `static_words`, every piece of a word carries the row of
    the whole word (`don't`, `U.S.`); where the table lacks that, the rows of
    the words that `Preprocessor` finds in it (`don`, `'`, `t`).

    Args:
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        sequence_length: int. The most pieces that a window may have, special
            tokens included.
        static_words: list of strings. See `Preprocessor`.
        padding: string. See `Preprocessor`.
        split: string. How a text is cut into words: `"whitespace"`;
            `"punctuation"`, at white space and around each punctuation mark
            and Chinese character, as BERT does; or `"characters"`, each
            character but white space a word, with the accents on it.
        overlap: int. The pieces that neighbouring windows share; `None` for a
            quarter of their room.
        **kwargs: Keyword arguments of `keras_nlp.models.Preprocessor`.

    Raises:
        BertEmbedError: where `split` is none of these, or windows would
            share all of their pieces.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "##s", "."])
    preprocessor = text.TaggingPreprocessor(tokenizer, 16)
    features = preprocessor([["ones", "one."], ["."]])
    assert features["token_ids"].numpy().tolist() == [[2, 5, 6, 5, 7, 3], [2, 7, 3, 0, 0, 0]]
    assert features["word_places"].numpy().tolist() == [[1, 3], [1, -1]]
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(
        self,
        tokenizer,
        sequence_length=512,
        static_words=None,
        padding="longest",
        split="whitespace",
        overlap=None,
        **kwargs,
    ):
        super().__init__(tokenizer, sequence_length, static_words, padding, **kwargs)
        if split not in SPLITS:
            raise common.BertEmbedError(
                f"`split` must be one of {', '.join(SPLITS)}. Received: {split!r}."
            )
        room = sequence_length - SPECIAL_PIECES
        if overlap is not None and not (common.is_whole(overlap) and 0 <= overlap < room):
            raise common.BertEmbedError(
                f"`overlap` must be an int from 0 to less than the {room} pieces that a window "
                f"has room for. Received: {overlap!r}."
            )
        self.split = split
        self.overlap = overlap

    def __call__(self, *args, **kwargs):
        return super().__call__(*map(as_words, args[:1]), *args[1:], **kwargs)

    def call(self, x, y=None, sample_weight=None):
        """Make features; put labels and weights beside the words.

        Args:
            x: list of lists of strings, or ragged string tensor [B, (W)]: the
                words of each text; or strings [B], texts that `split` cuts. A
                single string is a batch of one.
            y: ints, ragged [B, (W)] or [B, W]. A label for each word.
            sample_weight: floats [B], or as `y`. A weight for each text or
                each word.

        Returns:
            A dict of `token_ids`, `segment_ids`, `padding_mask` and perhaps
            `static_ids`, as of `Preprocessor`, but [N, T] for N windows;
            `window_counts` [B] int32, the windows of each text;
            `word_places` [B, W] int32, the place of each word's first piece
            in the windows of its text laid end to end (T columns each), -1
            where there is no word; `words` [B, W] strings; `word_starts` and
            `word_ends` [B, W] int32, code points of the text; `texts` [B]
            strings, where words were given those joined by spaces (with
            `split="characters"` by nothing). In a tuple with `y` [B, W], -1
            where there is no word, and weights [B, W], where they are given.

        Raises:
            BertEmbedError: where `x` is neither of these.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "##s", "."])
        preprocessor = text.TaggingPreprocessor(tokenizer, 16, split="punctuation")
        features, y = preprocessor(["ones.", "🙂 one"], y=[[4, 7], [5, 4]])
        assert features["words"].numpy()[0].tolist() == [b"ones", b"."]
        assert features["word_starts"].numpy().tolist() == [[0, 4], [0, 2]]
        assert y.numpy().tolist() == [[4, 7], [5, 4]]
        ```
        """
        # Strings have no kernels on a GPU.
        with tf.device("cpu"):
            if isinstance(x, tf.RaggedTensor):
                features = self._of_words(x)
            else:
                _check_texts(x)
                features = self._run([tf.reshape(x, [-1])], self.made_of())
            width = tf.shape(features["word_places"])[1]
            y = _beside(y, width, NONE)
            if sample_weight is not None:
                sample_weight = _weights(sample_weight, features["word_places"])
        return keras.utils.pack_x_y_sample_weight(features, y, sample_weight)

    def split_words(self, x):
        """Cut texts into words, or join words to texts.

        Args:
            x: as for `call`.

        Returns:
            A tuple: the texts [B], and three ragged tensors [B, (W)]: the
            words (strings), and the code points of the text where each begins
            and where it has ended (int32).

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "我"])
        preprocessor = text.TaggingPreprocessor(tokenizer, split="characters")
        _, words, starts, ends = preprocessor.split_words(["我 住"])
        assert starts.to_list() == [[0, 2]] and ends.to_list() == [[1, 3]]
        ```
        """
        x = as_words(x)
        with tf.device("cpu"):
            if isinstance(x, tf.RaggedTensor):
                texts, starts, ends = join_words(x, "" if self.split == "characters" else " ")
                return texts, x, starts, ends
            _check_texts(x)
            texts = tf.reshape(x, [-1])
            return texts, *split_texts(texts, self.split)

    def get_config(self):
        return {**super().get_config(), "split": self.split, "overlap": self.overlap}

    def made_of(self):
        return *super().made_of(), self.split, self._overlap()

    def _overlap(self):
        room = self.sequence_length - SPECIAL_PIECES
        return room // 4 if self.overlap is None else min(self.overlap, room - 1)

    def _features(self, texts):
        return self._of_words(texts[0])

    def _of_words(self, x):
        texts, words, starts, ends = self.split_words(x)
        pieces, rows = self._word_pieces(words.values)
        begins = tf.cast(tf.gather(pieces.row_splits, words.row_splits), tf.int32)
        room = self.sequence_length - SPECIAL_PIECES
        windows = PieceWindows(begins, room, self._overlap())
        layout = Layout(windows.row_splits, 1, self.sequence_length, self.padding == "max_length")
        tokenizer = self.tokenizer
        special = tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id
        features = {
            "token_ids": layout.fill(tf.gather(pieces.values, windows.pieces), *special),
            "segment_ids": layout.segment_ids(),
            "padding_mask": layout.mask,
        }
        if rows is not None:
            features["static_ids"] = layout.fill(tf.gather(rows, windows.pieces))
        text = words.value_rowids()
        first = tf.cast(pieces.row_starts(), tf.int32) - tf.gather(begins, text)
        window, column = windows.find(first, text)
        places = window * tf.shape(layout.mask)[1] + column + 1
        # No word at all still makes a column, of which a loss has no trouble.
        width = tf.maximum(tf.reduce_max(words.row_lengths()), 1)

        def padded(ragged, filler):
            return _padded(ragged, filler, width)

        return {
            **features,
            "window_counts": windows.counts,
            "word_places": padded(words.with_values(places), NONE),
            "words": padded(words, ""),
            "word_starts": padded(starts, NONE),
            "word_ends": padded(ends, NONE),
            "texts": texts,
        }

    def _word_pieces(self, words):
        """Ids of [M] words, one piece at least, as a ragged tensor; and flat rows or `None`."""
        pieces, rows = self._pieces(words)
        lost = tf.equal(pieces.row_lengths(), 0)
        unknown = tf.fill([tf.math.count_nonzero(lost)], self.tokenizer.token_to_id("[UNK]"))
        lost = tf.cast(lost, pieces.row_splits.dtype)

        def filled(values, fillers):
            fillers = tf.RaggedTensor.from_row_lengths(
                tf.cast(fillers, values.dtype), lost, validate=False
            )
            return tf.concat([pieces.with_values(values), fillers], axis=1)

        kept = filled(pieces.values, unknown)
        if rows is None:
            return kept, None
        whole = tf.gather(self._word_table.rows(words), kept.value_rowids())
        rows = filled(rows, tf.zeros_like(unknown)).values
        return kept, tf.where(whole > 0, whole, rows)


def as_words(x):
    """Lists of words as a ragged tensor, texts as a tensor; other things as they are."""
    if isinstance(x, (str, bytes)):
        return tf.constant([x])
    if tf.is_tensor(x) or keras.utils.is_keras_tensor(x) or not hasattr(x, "__len__"):
        return x
    if isinstance(x, tuple):
        return x
    if isinstance(next(iter(x), ""), (str, bytes)):
        return tf.constant(list(x), tf.string)
    rows = [list(row) for row in x]
    for place, row in enumerate(rows):
        for word in row:
            if not isinstance(word, (str, bytes)):
                raise common.BertEmbedError(
                    f"Words must be strings. Received: {word!r:.80} in text {place}."
                )
    flat = [word for row in rows for word in row]
    return tf.RaggedTensor.from_row_lengths(
        tf.constant(flat, tf.string), [len(row) for row in rows], validate=False
    )


def _check_texts(x):
    if tf.is_tensor(x) and x.dtype == tf.string and x.shape.rank in (0, 1, None):
        return
    found = f"a tensor of {x.dtype.name}, shape {x.shape}" if tf.is_tensor(x) else f"{x!r:.80}"
    raise common.BertEmbedError(
        f"`x` must be a list of texts, or a list of lists of words. Received: {found}."
    )


def _padded(ragged, filler, width):
    return ragged.to_tensor(filler, shape=tf.stack([-1, tf.cast(width, tf.int64)]))


def _beside(values, width, filler):
    """Ragged values [B, (W)] as [B, width]; dense ones as they are."""
    if values is None:
        return None
    if isinstance(values, list) and values and isinstance(values[0], (list, tuple)):
        values = tf.ragged.constant(values)
    if isinstance(values, tf.RaggedTensor):
        return _padded(values, tf.cast(filler, values.dtype), width)
    return tf.convert_to_tensor(values)


def _weights(weights, places):
    weights = _beside(weights, tf.shape(places)[1], 0)
    if weights.shape.rank == 1:
        weights = tf.broadcast_to(weights[:, tf.newaxis], tf.shape(places))
    return weights
