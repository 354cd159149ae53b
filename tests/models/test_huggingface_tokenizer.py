import json

import pytest

from tf_bertembed.models.huggingface_tokenizer import has_tokenizer, longest_text


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_either_file_is_a_tokenizer(name, tmp_path):
    assert not has_tokenizer(tmp_path)
    (tmp_path / name).touch()
    assert has_tokenizer(tmp_path)


@pytest.mark.parametrize(("stated", "expected"), [(20, 20), (600, 512), (10**30, 512), (None, 512)])
def test_the_longest_text(stated, expected, tmp_path):
    assert longest_text(tmp_path, 512) == 512
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": stated}))
    assert longest_text(tmp_path, 512) == expected
