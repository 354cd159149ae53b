import pytest
import tensorflow as tf
from tokenizers import Tokenizer, models, pre_tokenizers

from tf_bertembed.text.packing import Layout, longest_first


@pytest.mark.parametrize("budget", [0, 1, 4, 5, 9])
def test_longest_first_is_that_of_tokenizers(budget):
    reference = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    reference.pre_tokenizer = pre_tokenizers.Whitespace()
    reference.enable_truncation(budget, strategy="longest_first")
    lengths = [(first, second) for first in range(8) for second in range(8)]
    first, second = longest_first(*tf.transpose(tf.constant(lengths, tf.int64)), budget)
    for (a, b), kept in zip(lengths, zip(first.numpy(), second.numpy(), strict=True), strict=True):
        ids = reference.encode(" ".join("a" * a), " ".join("b" * b)).ids
        assert kept == (ids.count(0), ids.count(1)), (a, b)


def rows(layout, *segments):
    return layout.fill(segments).numpy().tolist()


def test_one_segment():
    ids = tf.ragged.constant([[7, 8, 9], [], [7]], dtype=tf.int32)
    layout = Layout([ids], 4)
    assert rows(layout, ids) == [[0, 7, 8, 0], [0, 0, 0, 0], [0, 7, 0, 0]]
    assert layout.mask().numpy().sum(axis=1).tolist() == [4, 2, 3]
    assert layout.is_separator().numpy().argmax(axis=1).tolist() == [3, 1, 2]
    assert layout.segment_ids().numpy().sum() == 0


def test_two_segments_padded_to_the_length():
    first = tf.ragged.constant([[1, 2, 3, 4], []], dtype=tf.int32)
    second = tf.ragged.constant([[5], [6, 7]], dtype=tf.int32)
    layout = Layout([first, second], 7, pad_to_length=True)
    assert rows(layout, first, second) == [[0, 1, 2, 3, 0, 5, 0], [0, 0, 6, 7, 0, 0, 0]]
    assert layout.segment_ids().numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0]]
    assert layout.is_separator().numpy().nonzero()[1].tolist() == [4, 6, 1, 4]


def test_an_empty_batch():
    ids = tf.RaggedTensor.from_row_lengths(tf.constant([], tf.int32), tf.constant([], tf.int64))
    assert Layout([ids], 8).fill([ids]).shape[0] == 0
    assert Layout([ids], 8, pad_to_length=True).fill([ids]).shape == (0, 8)
