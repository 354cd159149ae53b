import json

import keras_nlp
import pytest

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.models.tokenizers import google_lowercase

PIECES = [*text.SPECIAL_TOKENS, "one", "caf", "##e", "!"]


@pytest.fixture
def preset(tmp_path):
    """A keras-nlp preset of a tokenizer and of a backbone's configuration."""

    def write(**arguments):
        folder = tmp_path / "preset"
        keras_nlp.models.BertTokenizer(PIECES, **arguments).save_to_preset(str(folder))
        config = {"registered_name": "keras_hub>BertBackbone", "config": {}}
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return write


@pytest.fixture
def google(tmp_path):
    """Google's folder as far as a tokenizer is concerned."""

    def write(name, pieces):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "bert_config.json").write_text("{}")
        text.save_vocabulary([*text.SPECIAL_TOKENS, *pieces], folder / "vocab.txt")
        return folder

    return write


@pytest.mark.parametrize(
    ("name", "pieces", "expected"),
    [
        ("uncased_L-12_H-768_A-12", ["The"], (True, "by the folder's name, ")),
        ("wwm_cased_L-24_H-1024_A-16", ["the"], (False, "by the folder's name, ")),
        ("multi_cased_L-12_H-768_A-12", ["the"], (False, "by the folder's name, ")),
        ("BERT-Uncased", ["The"], (True, "by the folder's name, ")),
        ("chinese_L-12_H-768_A-12", ["[UNK]", "我", "the"], (True, "by the pieces, none")),
        ("showcased", ["[UNK]", "the", "##The"], (False, "by the pieces, some")),
    ],
)
def test_case_is_told_by_name_or_by_pieces(name, pieces, expected, tmp_path):
    lowercase, told = google_lowercase(tmp_path / name, pieces)
    assert lowercase == expected[0]
    assert told.startswith(expected[1])


def test_case_that_is_given():
    assert google_lowercase("uncased_L-2", ["the"], False) == (False, "as given")


def test_a_google_folder(google):
    folder = google("cased_L-2", ["The", "the"])
    assert models.load_tokenizer(folder)(["The the"]) == [[5, 6]]
    assert models.load_tokenizer(folder, lowercase=True)(["The the"]) == [[6, 6]]


@pytest.mark.parametrize("strip_accents", [True, False])
@pytest.mark.parametrize("lowercase", [True, False])
def test_a_keras_nlp_preset(lowercase, strip_accents, preset):
    folder = preset(lowercase=lowercase, strip_accents=strip_accents)
    ours = models.load_tokenizer(folder)
    assert ours.get_vocabulary() == PIECES
    theirs = keras_nlp.models.BertTokenizer.from_preset(str(folder))
    for sentence in ("Café one!", "one cafe ONE"):
        assert list(ours([sentence])[0]) == list(theirs(sentence))


def test_a_folder_of_this_project(tmp_path):
    tokenizer = text.BertEmbedTokenizer(PIECES, lowercase=False)
    models.BertEmbedBackbone(9, 1, 2, 8, 16).save_to_preset(str(tmp_path))
    tokenizer.save_to_preset(str(tmp_path))
    assert not models.load_tokenizer(tmp_path).lowercase


def test_a_hugging_face_folder():
    assert models.load_tokenizer("all-minilm-l6-v2")(["hello"]) == [[7592]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": False}, "split=False"),
        ({"suffix_indicator": "@@"}, "suffix_indicator='@@'"),
        ({"special_tokens_in_strings": True}, "special_tokens_in_strings=True"),
        ({"lowercase": "yes"}, "lowercase='yes'"),
    ],
)
def test_a_tokenizer_that_splits_otherwise(changes, message, preset):
    path = preset() / "tokenizer.json"
    content = json.loads(path.read_text())
    content["config"].update(changes)
    path.write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match=rf"tokenizer\.json: .*Received: {message}"):
        models.load_tokenizer(path.parent)


def test_a_tokenizer_of_another_class(preset):
    path = preset() / "tokenizer.json"
    path.write_text(json.dumps({"registered_name": "keras_hub>GPT2Tokenizer"}))
    with pytest.raises(FileFormatError, match=r"BertTokenizer was expected.*GPT2Tokenizer"):
        models.load_tokenizer(path.parent)
    path.unlink()
    with pytest.raises(MissingFileError, match=r"tokenizer\.json does not exist.*save_to_preset"):
        models.load_tokenizer(path.parent)


def test_lowercase_is_for_googles_folders(preset):
    with pytest.raises(BertEmbedError, match=r"for Google's folders.*keras-nlp.*Received: True"):
        models.load_tokenizer(preset(), lowercase=True)
