import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.checks import check_texts


def test_sequences_of_texts_become_a_list():
    for form in (
        ["a", "我 🙂"],
        ("a", "我 🙂"),
        np.array(["a", "我 🙂"]),
        np.array([["a"], ["我 🙂"]]),
    ):
        assert check_texts(form) == ["a", "我 🙂"]
    assert check_texts([]) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"not one text. Pass \[text\]. Received: 'one text'"),
        (["a", None], r"Row 1 holds None \(NoneType\)"),
        ([float("nan")], r"Row 0 holds nan \(float\)"),
        (["a", "b\ud83d"], r"Row 1 holds half of a surrogate pair, '\\ud83d' at character 2"),
        ([["a", "b"]], r"shape \(N,\)\. Received: shape \(1, 2\)"),
    ],
)
def test_what_is_no_text_is_named(texts, message):
    with pytest.raises(BertEmbedError, match=message):
        check_texts(texts)
    with pytest.raises(BertEmbedError, match="of the second texts"):
        check_texts(texts, "the second texts")
