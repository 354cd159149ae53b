import numpy as np
import pytest

from tf_bertembed import common


def test_whole_numbers():
    assert [common.is_whole(value) for value in (3, np.int64(3), -1)] == [True] * 3
    assert not any(common.is_whole(value) for value in (True, np.True_, 3.0, "3", None))


@pytest.mark.parametrize("value", [1, 2.0, True, "3", None])
def test_what_is_too_small_or_no_whole_number_is_named(value):
    with pytest.raises(common.BertEmbedError) as caught:
        common.check_at_least(2, folds=2, seeds=value)
    assert str(caught.value) == f"`seeds` must be an int of at least 2. Received: {value!r}."


def test_none_is_no_limit():
    common.check_limits(batch_size=None, max_pieces=1)
    with pytest.raises(common.BertEmbedError, match=r"`max_pieces` .* at least 1\. Received: 0\."):
        common.check_limits(batch_size=None, max_pieces=0)
