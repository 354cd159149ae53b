import pytest

from tf_bertembed import common, text


def test_texts_and_files_are_counted_by_piece(tmp_path):
    vocabulary = [*text.SPECIAL_TOKENS, "the", "sing", "##ing", ","]
    path = tmp_path / "corpus.txt"
    path.write_text("the the\nзima\n", encoding="utf-8")
    counts = text.count_occurrences(["The singing, THE", path], vocabulary)
    assert dict(zip(vocabulary, counts.tolist(), strict=True)) == {
        **dict.fromkeys(text.SPECIAL_TOKENS, 0),
        "[UNK]": 1,
        "the": 4,
        "sing": 1,
        "##ing": 1,
        ",": 1,
    }


def test_a_vocabulary_with_upper_case_keeps_it():
    vocabulary = [*text.SPECIAL_TOKENS, "The", "the"]
    assert text.count_occurrences(["The the the"], vocabulary)[5:].tolist() == [1, 2]


def test_no_word_at_all():
    with pytest.raises(common.BertEmbedError, match="no word was found"):
        text.count_occurrences([" "], [*text.SPECIAL_TOKENS, "the"])
