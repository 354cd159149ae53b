import numpy as np
import pytest

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError


def test_every_place_comes_once_and_padding_is_little(documents):
    sentences = [sentence for document in documents for sentence in document]
    batches = text.length_batches(sentences, 32)
    assert sorted(np.concatenate(batches)) == list(range(len(sentences)))
    assert {len(batch) for batch in batches[:-1]} == {32}
    lengths = np.array([len(sentence.encode()) for sentence in sentences])
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.05 * lengths.sum()


def test_equal_lengths_keep_their_order():
    assert [b.tolist() for b in text.length_batches(["a", "b", "cc", "d"], 3)] == [[2, 0, 1], [3]]


def test_a_limit_of_bytes():
    texts = ["a" * 10, "b" * 4, "c" * 4, "d", "e", "", "我"]
    batches = text.length_batches(texts, batch_size=3, max_bytes=8)
    assert [batch.tolist() for batch in batches] == [[0], [1, 2], [6, 3], [4, 5]]


def test_pairs_and_bytes():
    assert text.length_batches([("a", "b"), ("ab", "cd")], 1)[0].tolist() == [1]
    assert text.length_batches([b"a", b"abc"], 1)[0].tolist() == [1]
    assert text.length_batches([]) == []


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"max_bytes": 0}])
def test_bad_arguments(arguments):
    with pytest.raises(BertEmbedError, match=r"at least 1\. Received: 0"):
        text.length_batches(["a"], **arguments)


@pytest.fixture(scope="module")
def mixed():
    return np.random.default_rng(3).integers(8, 513, 3000)


def padded(lengths, batches):
    return np.array([len(batch) * lengths[batch].max() for batch in batches])


def test_batches_of_pieces_hold_all_limits(mixed):
    batches = text.piece_batches(mixed, batch_size=32, max_pieces=4096)
    assert sorted(np.concatenate(batches)) == list(range(len(mixed)))
    assert max(map(len, batches)) <= 32
    sizes = padded(mixed, batches)
    assert sizes.max() <= 4096
    assert sizes.sum() <= mixed.sum() / 0.95
    assert len(batches) < 1.1 * mixed.sum() / 4096 + len(mixed) / 32


@pytest.mark.parametrize("count", [1, 20, 200])
def test_few_texts_are_padded_no_more(mixed, count):
    few = mixed[:count]
    batches = text.piece_batches(few)
    assert all(
        size <= few[batch].sum() / 0.95
        for size, batch in zip(padded(few, batches), batches, strict=True)
    )


def test_a_longer_text_is_alone_and_longest_come_first():
    batches = text.piece_batches([5, 40, 5, 20, 20, 0], 4, max_pieces=30, max_padding=1)
    assert [batch.tolist() for batch in batches] == [[1], [3], [4], [0, 2, 5]]
    assert text.piece_batches([]) == []


def test_without_a_limit_of_texts_or_padding():
    batches = text.piece_batches([3, 9, 9, 3], batch_size=None, max_padding=0)
    assert [batch.tolist() for batch in batches] == [[1, 2], [0, 3]]
    assert len(text.piece_batches([3, 9, 9, 3], batch_size=None, max_padding=1)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_pieces": 0}, "`max_pieces` must be an int of at least 1. Received: 0"),
        ({"max_padding": 1.5}, "from 0 to 1. Received: 1.5"),
        ({"lengths": [3, -1]}, "must not be negative. Received: -1 at 1"),
    ],
)
def test_bad_arguments_of_piece_batches(arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.piece_batches(**{"lengths": [1], **arguments})
