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
