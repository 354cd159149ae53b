"""Batches that are cut without a tokenizer."""

import pytest

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.batch_runs import BYTES_PER_PIECE, byte_batches


def test_bytes_bound_a_batch():
    texts = ["a" * 40, "好" * 10, "b" * 8, "", "c" * 41]
    found = [batch.tolist() for batch in byte_batches(texts, max_pieces=80 // BYTES_PER_PIECE)]
    # 41 bytes alone, since two of them would be 82.
    assert found == [[4], [0, 1], [2, 3]]
    assert [len(batch) for batch in byte_batches(texts, batch_size=2)] == [2, 2, 1]
    assert len(byte_batches(["a" * 4096, "b" * 4096])) == 2
    with pytest.raises(BertEmbedError, match="`max_pieces` must be an int of at least 1"):
        byte_batches(texts, max_pieces=0)
