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


def rows(layout, segments):
    return layout.fill(segments.values, pad=0, cls=-1, sep=-2).numpy().tolist()


def test_one_segment():
    ids = tf.ragged.constant([[7, 8, 9], [], [7]], dtype=tf.int32)
    layout = Layout(ids.row_splits, 1, 4)
    assert rows(layout, ids) == [[-1, 7, 8, -2], [-1, -2, 0, 0], [-1, 7, -2, 0]]
    assert layout.mask.numpy().sum(axis=1).tolist() == [4, 2, 3]
    assert layout.segment_ids().numpy().tolist() == [[0] * 4] * 3


def test_two_segments_padded_to_the_length():
    both = tf.ragged.constant([[1, 2, 3, 4], [], [5], [6, 7]], dtype=tf.int32)
    layout = Layout(both.row_splits, 2, 7, pad_to_length=True)
    assert rows(layout, both) == [[-1, 1, 2, 3, -2, 5, -2], [-1, -2, 6, 7, -2, 0, 0]]
    assert layout.segment_ids().numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0]]


@pytest.mark.parametrize("segments", [1, 2])
def test_an_empty_batch(segments):
    none = tf.constant([], tf.int32)
    assert Layout([0], segments, 8).fill(none).shape == (0, 2)
    assert Layout([0], segments, 8, pad_to_length=True).fill(none).shape == (0, 8)
