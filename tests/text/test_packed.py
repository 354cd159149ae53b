import numpy as np
import pytest

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError

WORDS = ["the", "police", "sydney"]


@pytest.fixture(scope="module")
def sentences(documents):
    return [sentence for document in documents[:150] for sentence in document]


def alike(some, others):
    assert sorted(some) == sorted(others)
    for name, values in others.items():
        assert some[name].dtype == values.numpy().dtype, name
        np.testing.assert_array_equal(some[name], values, err_msg=name)


@pytest.mark.parametrize("padding", ["longest", "max_length"])
@pytest.mark.parametrize("pair", [False, True])
def test_batches_are_what_the_preprocessor_makes(tokenizer, sentences, pair, padding):
    preprocessor = text.Preprocessor(tokenizer, 24, static_words=WORDS, padding=padding)
    columns = (sentences, sentences[::-1]) if pair else (sentences,)
    packed = text.PackedTexts(preprocessor, columns if pair else sentences)
    assert len(packed) == len(sentences) == len(packed.lengths) > 512
    for rows in text.piece_batches(packed.lengths, 64)[::6]:
        texts = tuple([column[row] for row in rows] for column in columns)
        alike(packed.features(rows), preprocessor(texts if pair else texts[0], y=None))


def test_batches_of_pieces_hold_little_padding(tokenizer, sentences):
    packed = text.PackedTexts(text.Preprocessor(tokenizer, 512), sentences)
    batches = text.piece_batches(packed.lengths, max_pieces=1024)
    made = [packed.features(rows)["padding_mask"] for rows in batches]
    assert sum(mask.sum() for mask in made) == packed.lengths.sum()
    assert max(mask.size for mask in made) <= 1024
    assert sum(mask.size for mask in made) <= packed.lengths.sum() / 0.95


def test_no_texts(tokenizer):
    packed = text.PackedTexts(text.Preprocessor(tokenizer, 8), [])
    assert len(packed) == 0
    assert packed.lengths.tolist() == []


def test_what_is_no_text(tokenizer):
    with pytest.raises(BertEmbedError, match="must be strings"):
        text.PackedTexts(text.Preprocessor(tokenizer, 8), [1, 2])
