"""Pieces of words, and their first ones, against transformers."""

import pytest

from tf_bertembed import text


@pytest.mark.slow
def test_the_pieces_are_those_of_transformers(transformers, tokenizer, tmp_path, reviews):
    text.save_vocabulary(tokenizer.get_vocabulary(), tmp_path / "vocab.txt")
    other = transformers.BertTokenizer(str(tmp_path / "vocab.txt"))
    preprocessor = text.TaggingPreprocessor(tokenizer, 512)
    rows = [
        *(review.split() for review in reviews[0][:16]),
        ["U.S.", "don't", "café", "北京", "👍🏽", "naïve"],
    ]
    features = preprocessor(rows)
    for row, words in enumerate(rows):
        expected = other(words, is_split_into_words=True)
        mask = features["padding_mask"].numpy()[row]
        assert features["token_ids"].numpy()[row][mask].tolist() == expected["input_ids"]
        owners = expected.word_ids()
        first = [owners.index(word) for word in range(len(words))]
        assert features["word_places"].numpy()[row, : len(words)].tolist() == first
