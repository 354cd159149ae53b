"""What a Hugging Face folder has no place for, and places that are taken."""

import pytest

from tf_bertembed import models, tasks, text
from tf_bertembed.common import BertEmbedError, FileFormatError, OutputExistsError
from tf_bertembed.tasks import huggingface

PIECES = [*text.SPECIAL_TOKENS, *"abcdefghij"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm_first": True}, "no place for norm_first=True"),
        ({"num_tags": 3}, "no place for num_tags=3"),
        ({"embedding_dim": 4}, r"no place for embedding_dim=4 \(hidden_dim=8\)"),
        (
            {"static_vocabulary_size": 3, "static_dim": 2, "input_fusion": "add"},
            "no place for input_fusion='add'",
        ),
    ],
    ids=["norm-first", "tags", "factorised", "fusion"],
)
def test_what_bert_has_no_place_for(arguments, message, tmp_path):
    backbone = models.BertEmbedBackbone(15, 1, 2, 8, 16, **arguments)
    with pytest.raises(BertEmbedError, match=message):
        models.save_huggingface(backbone, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_what_is_not_written(tmp_path):
    backbone = models.BertEmbedBackbone(15, 1, 2, 8, 16)
    with pytest.raises(BertEmbedError, match="Received: pooling='mean'"):
        tasks.save_huggingface(tasks.TextClassifier(backbone, 2, pooling="mean"), tmp_path / "a")
    with pytest.raises(BertEmbedError, match=r"QuestionAnswerer was expected.*BertEmbedBackbone"):
        tasks.save_huggingface(backbone, tmp_path / "a")
    tokenizer = text.BertEmbedTokenizer([*PIECES, "more"])
    with pytest.raises(BertEmbedError, match=r"tokenizer has 16 pieces.* only 15"):
        models.save_huggingface(backbone, tmp_path / "a", tokenizer)
    tokenizer = text.BertEmbedTokenizer(PIECES, max_chars_per_word=50)
    with pytest.raises(BertEmbedError, match="max_chars_per_word=50"):
        models.save_huggingface(backbone, tmp_path / "a", tokenizer)
    assert not list(tmp_path.iterdir())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("kept")
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        models.save_huggingface(backbone, tmp_path / "a")
    assert (tmp_path / "a" / "mine").read_text() == "kept"
    models.save_huggingface(backbone, tmp_path / "a", overwrite=True)
    assert models.load(tmp_path / "a").vocabulary_size == 15


@pytest.mark.parametrize("value", ["BertForMaskedLM", 5, {"BertForMaskedLM": 1}, [["x"]], [1]])
def test_architectures_that_are_no_list_of_strings(value):
    with pytest.raises(
        FileFormatError, match=r"^config\.json: `architectures` must be a list of strings"
    ):
        huggingface.published_head("config.json", {"architectures": value}, ())


@pytest.mark.parametrize("value", ["2", None, 0, -1, 2.0, True, [2]])
def test_num_labels_that_is_no_count(value):
    with pytest.raises(FileFormatError, match=r"^config\.json: `num_labels` must be a whole"):
        huggingface._labels("config.json", {"num_labels": value})
