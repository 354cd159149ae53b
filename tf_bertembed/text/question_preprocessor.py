"""From questions and contexts to windows of pieces that know their characters, in the graph."""

import keras
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.packing import Layout
from tf_bertembed.text.preprocessor import Preprocessor
from tf_bertembed.text.wordpiece import characters_before

# Of a sequence that answers are sought in: [CLS] question [SEP] context [SEP].
SPECIAL_PIECES = 3
NOWHERE = -1


@keras.saving.register_keras_serializable("tf_bertembed")
class QuestionPreprocessor(Preprocessor):
    """Turns questions and contexts into windows `[CLS] question [SEP] part of context [SEP]`.

    A context that is too long for one sequence is read through windows that
    overlap: each begins `stride` pieces after the one before, or sooner where
    the windows are shorter than that, so that no piece is passed over. N
    windows come of B texts; `window_text` tells whose they are. Every piece of
    a context knows the characters (code points, not bytes) of the original
    text that it covers.

    Single texts give the features of `Preprocessor`, so that the encoder of a
    trained model can embed texts.

    Args:
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        sequence_length: int. The most pieces that a window may have, special
            tokens included.
        static_words: list of strings. See `Preprocessor`.
        padding: string. See `Preprocessor`.
        stride: int. Pieces of the context from the beginning of a window to
            the beginning of the next one: `doc_stride` of BERT's own
            `run_squad.py`. What `transformers` calls stride is what two
            windows share. `None` for a third of `sequence_length`, as there.
        max_question_pieces: int. A question is cut after so many pieces, and
            after half of the sequence.
        **kwargs: Keyword arguments of `keras_nlp.models.Preprocessor`.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "我", "住", "在"])
    preprocessor = text.QuestionPreprocessor(tokenizer, 6, stride=1)
    features = preprocessor((["who"], ["🙂我住在"]))
    assert features["window_text"].numpy().tolist() == [0, 0, 0]
    assert features["token_ids"].numpy()[1].tolist() == [2, 5, 3, 6, 7, 3]
    assert features["piece_starts"].numpy()[1].tolist() == [-1, -1, -1, 1, 2, -1]
    ```

    References:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(
        self,
        tokenizer,
        sequence_length=384,
        static_words=None,
        padding="longest",
        stride=None,
        max_question_pieces=64,
        **kwargs,
    ):
        super().__init__(tokenizer, sequence_length, static_words, padding, **kwargs)
        common.check_limits(stride=stride)
        common.check_at_least(1, max_question_pieces=max_question_pieces)
        self._stride = stride
        self.max_question_pieces = max_question_pieces

    @property
    def stride(self):
        """Pieces of a context from the beginning of a window to that of the next one."""
        return self._stride or max(1, self.sequence_length // 3)

    @property
    def copies(self):
        """In how many windows at most the same piece can stand."""
        return max(1, -(-(self.sequence_length - SPECIAL_PIECES) // self.stride))

    def call(self, x, y=None, sample_weight=None):
        """Make the features of windows, and find answers in them.

        Args:
            x: a tuple of two string tensors [B], lists or arrays of strings:
                questions and contexts; a tuple of two strings is a batch of
                one. Single texts give the features of `Preprocessor`.
            y: int [B, 2]. The code points of each context where its answer
                begins and where it has ended; (-1, -1) for no answer.
            sample_weight: float [B]. Sample weights.

        Returns:
            A dict of features: `token_ids`, `segment_ids`, `padding_mask` and
            perhaps `static_ids`, as of `Preprocessor`, but [N, T];
            `piece_starts` and `piece_ends` [N, T] int32, the code points of
            the context that a piece covers, -1 for what is no piece of it;
            `window_text` [N] int32, the text of each window; `contexts` [B]
            string. With `y` in a tuple with a dict of `start_logits` and
            `end_logits`, [N] int32: the first and last piece of the answer,
            or 0, which is `[CLS]`, where a window lacks a part of it. Then
            sample weights [N], where they are given.

        Raises:
            BertEmbedError: where `x` is not as above.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "我", "住", "在"])
        preprocessor = text.QuestionPreprocessor(tokenizer, 6, stride=2)
        _, y = preprocessor((["who"], ["🙂我住在"]), y=[[2, 3]])
        assert y["start_logits"].numpy().tolist() == [0, 3]
        ```
        """
        if isinstance(x, tuple) and len(x) == 2:
            x = tuple(map(_at_least_one, x))
        features = super().call(x)
        if "window_text" in features and y is not None:
            with tf.device("cpu"):
                y = answer_pieces(features, tf.cast(tf.convert_to_tensor(y), tf.int32))
        if "window_text" in features and sample_weight is not None:
            sample_weight = tf.gather(sample_weight, features["window_text"])
        return keras.utils.pack_x_y_sample_weight(features, y, sample_weight)

    def get_config(self):
        return {
            **super().get_config(),
            "stride": self._stride,
            "max_question_pieces": self.max_question_pieces,
        }

    def made_of(self):
        return *super().made_of(), self.stride, self.max_question_pieces

    def _features(self, texts):
        if len(texts) == 1:
            return super()._features(texts)
        contexts = texts[1]
        batch = tf.size(contexts)
        texts = tf.concat(texts, axis=0)
        ids, rows, *bytes_of_pieces = self._placed_pieces(texts)
        window_text, kept = self._windows(tf.cast(ids.row_splits, tf.int32), batch)
        layout = Layout(kept.row_splits, 2, self.sequence_length, self.padding == "max_length")
        tokenizer = self.tokenizer
        special = tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id
        features = {
            "token_ids": layout.fill(tf.gather(ids.values, kept.values), *special),
            "segment_ids": layout.segment_ids(),
            "padding_mask": layout.mask,
        }
        if rows is not None:
            features["static_ids"] = layout.fill(tf.gather(rows, kept.values))
        for name, places in piece_characters(texts, ids, *bytes_of_pieces).items():
            places = tf.where(ids.value_rowids() < tf.cast(batch, tf.int64), NOWHERE, places)
            places = tf.gather(places, kept.values)
            features[name] = layout.fill(places, NOWHERE, NOWHERE, NOWHERE)
        return {**features, "window_text": window_text, "contexts": contexts}

    def _placed_pieces(self, texts):
        """What `_pieces` gives, and the bytes of [M] texts where pieces start and end, flat."""
        if self._word_table is not None:
            return self._rows_of_words().with_offsets(texts)
        ids, starts, ends = self.tokenizer.tokenize_with_offsets(texts)
        return ids, None, starts.values, ends.values

    def _windows(self, splits, batch):
        """Whose each window is, and the places of its pieces: questions' rows, then contexts'."""
        starts, lengths = splits[:-1], splits[1:] - splits[:-1]
        room = self.sequence_length - SPECIAL_PIECES
        questions = tf.minimum(lengths[:batch], min(self.max_question_pieces, room // 2))
        room -= questions
        step = tf.minimum(room, self.stride)
        count = 1 - tf.minimum((room - lengths[batch:]) // step, 0)
        window_text = tf.repeat(tf.range(batch), count)
        number = tf.ragged.range(count).values
        first = number * tf.gather(step, window_text)
        end = tf.minimum(
            first + tf.gather(room, window_text), tf.gather(lengths[batch:], window_text)
        )
        question_starts = tf.gather(starts[:batch], window_text)
        context_starts = tf.gather(starts[batch:], window_text)
        return window_text, tf.ragged.range(
            tf.concat([question_starts, context_starts + first], axis=0),
            tf.concat(
                [question_starts + tf.gather(questions, window_text), context_starts + end], axis=0
            ),
        )


def piece_characters(texts, ids, starts, ends):
    """The code points that the pieces of [M] texts cover, flat, from their bytes."""
    before = characters_before(tf.strings.reduce_join(texts))
    lengths = tf.cast(tf.strings.length(texts), tf.int64)
    base = tf.gather(tf.cumsum(lengths, exclusive=True), ids.value_rowids())
    first = tf.gather(before, base)
    starts, ends = (
        tf.cast(tf.gather(before, base + tf.cast(places, tf.int64)) - first, tf.int32)
        for places in (starts, ends)
    )
    # Pieces that share a character may be empty in the tokenizer's eyes.
    return {"piece_starts": starts, "piece_ends": tf.maximum(ends, starts + 1)}


def _at_least_one(texts):
    with tf.device("cpu"):
        texts = tf.convert_to_tensor(texts)
        return texts[tf.newaxis] if texts.shape.rank == 0 else texts


def answer_pieces(features, spans):
    """Which pieces of windows hold the answers.

    Args:
        features: dict. What `QuestionPreprocessor` made of B texts.
        spans: int32 tensor [B, 2]. As `y` of `QuestionPreprocessor.call`.

    Returns:
        A dict of `start_logits` and `end_logits`, int32 tensors [N]: what the
        outputs of those names are to point at.
    """
    starts, ends = features["piece_starts"], features["piece_ends"]
    texts = features["window_text"]
    begin, end = (tf.gather(spans, texts)[:, side, tf.newaxis] for side in (0, 1))
    inside = starts != NOWHERE
    columns = tf.range(tf.shape(starts)[1])[tf.newaxis]
    first = tf.reduce_min(tf.where(inside & (ends > begin), columns, columns.dtype.max), axis=1)
    last = tf.reduce_max(tf.where(inside & (starts < end), columns, NOWHERE), axis=1)
    # What stands before the first piece of all, or behind the last one, is nobody else's.
    others = texts[1:] != texts[:-1]
    opening = tf.concat([[True], others], axis=0)[: tf.size(texts)]
    closing = tf.concat([others, [True]], axis=0)[: tf.size(texts)]
    lowest = tf.reduce_min(tf.where(inside, starts, starts.dtype.max), axis=1)
    highest = tf.reduce_max(ends, axis=1)
    whole = (opening | (lowest <= begin[:, 0])) & (closing | (highest >= end[:, 0]))
    whole &= (first <= last) & (end[:, 0] > begin[:, 0])
    return {
        "start_logits": tf.where(whole, first, 0),
        "end_logits": tf.where(whole, last, 0),
    }
