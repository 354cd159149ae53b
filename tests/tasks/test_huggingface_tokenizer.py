"""Tokenizers out and in again, against those of transformers."""

import numpy as np
import pytest

from tf_bertembed import models, tasks, text

WORDS = ["the", "cat", "##s", "sat", ".", "caf", "##e", "我", "!", "on"]


@pytest.mark.parametrize("lowercase", [True, False])
def test_the_tokenizer_out_and_in(lowercase, transformers, tmp_path):
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, *WORDS], lowercase=lowercase)
    backbone = models.BertEmbedBackbone(15, 1, 2, 8, 16, max_sequence_length=16)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=12)
    task = tasks.TextClassifier(backbone, 2, preprocessor)
    tasks.save_huggingface(task, tmp_path / "out")
    again = tasks.load_huggingface(tmp_path / "out")
    published = transformers.BertTokenizerFast.from_pretrained(tmp_path / "out")
    assert published.model_max_length == again.preprocessor.sequence_length == 12
    assert published.mask_token_id == 4
    texts = ["The cats sat.", "Café 我住 cats!", "", "the " * 20]
    expected = published(texts, padding=True, truncation=True, return_tensors="np")
    got = again.preprocessor(texts)
    np.testing.assert_array_equal(got["token_ids"], expected["input_ids"])
    np.testing.assert_array_equal(got["padding_mask"], expected["attention_mask"])
    assert again.preprocessor.tokenizer.lowercase is lowercase
    np.testing.assert_array_equal(again(got), task(got))


@pytest.mark.parametrize(
    ("lowercase", "strip_accents", "tokenize_chinese_chars"),
    [(True, False, True), (False, True, True), (True, None, False), (False, False, False)],
)
def test_the_flags_of_a_tokenizer_out_and_in(
    lowercase, strip_accents, tokenize_chinese_chars, transformers, tmp_path
):
    flags = {
        "lowercase": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": tokenize_chinese_chars,
    }
    pieces = [*text.SPECIAL_TOKENS, *WORDS, *("##é", "Caf", "我住", "住", "É", "E", "é", "e")]
    tokenizer = text.BertEmbedTokenizer(pieces, **flags)
    backbone = models.BertEmbedBackbone(len(pieces), 1, 2, 8, 16, max_sequence_length=16)
    models.save_huggingface(backbone, tmp_path / "out", tokenizer, sequence_length=9)
    published = transformers.BertTokenizerFast.from_pretrained(tmp_path / "out")
    assert published.model_max_length == 9
    texts = ["Café café cafe", "我住 住 cat我住", "É é E e"]
    expected = published(texts, add_special_tokens=False)["input_ids"]
    assert tokenizer(texts) == expected
    # As it is written back: tokenizer.json and the settings.
    published.save_pretrained(tmp_path / "back")
    (tmp_path / "back" / "vocab.txt").unlink(missing_ok=True)
    back = text.BertEmbedTokenizer.from_folder(tmp_path / "back")
    assert {name: getattr(back, name) for name in flags} == flags
    assert back.get_vocabulary() == pieces
    (tmp_path / "back" / "tokenizer_config.json").unlink()
    assert text.BertEmbedTokenizer.from_folder(tmp_path / "back")(texts) == expected
