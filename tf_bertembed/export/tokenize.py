"""The pieces of texts as tensors that a server can answer with."""

import tensorflow as tf

from tf_bertembed.text.question_preprocessor import NOWHERE, piece_characters


class PieceTable:
    """Cuts texts into pieces, told by name, id and place in the text.

    Args:
        tokenizer: a `BertEmbedTokenizer`.
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        # Outside of the graph, so that the model holds it once however often it is read.
        with tf.device("cpu"):
            self._pieces = tf.constant(tokenizer.get_vocabulary())

    def __call__(self, texts):
        """Cut texts.

        Args:
            texts: string tensor `[B]`.

        Returns:
            A dict of tensors `[B, T]`, T the pieces of the longest text, which
            is not cut off: `pieces` (strings, `""` behind the last), and int32
            `token_ids` (0 there), `starts` and `ends` (code points of the
            text, -1 there).
        """
        with tf.device("cpu"):
            ids, starts, ends = self._tokenizer.tokenize_with_offsets(texts)
            places = piece_characters(texts, ids, starts.values, ends.values)
            return {
                "pieces": ids.with_values(tf.gather(self._pieces, ids.values)).to_tensor(""),
                "token_ids": ids.with_values(tf.cast(ids.values, tf.int32)).to_tensor(0),
                "starts": ids.with_values(places["piece_starts"]).to_tensor(NOWHERE),
                "ends": ids.with_values(places["piece_ends"]).to_tensor(NOWHERE),
            }
