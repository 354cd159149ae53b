"""Tokenizers in the two forms of a Hugging Face folder."""

import json

import pytest
from tokenizers import BertWordPieceTokenizer

from tf_bertembed import text
from tf_bertembed.common import FileFormatError, MissingFileError

PIECES = [*text.SPECIAL_TOKENS, "the", "The", "cat", "##s", "Caf", "##é", "caf", "##e", "."]
TEXTS = ["The cats.", "Café the", "x the"]


@pytest.fixture
def write(tmp_path):
    """Write a folder with `tokenizer.json` alone, as transformers 5 does."""

    def write(lowercase=True, change=lambda content: content):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))
        vocabulary = {piece: number for number, piece in enumerate(PIECES)}
        fast = BertWordPieceTokenizer(vocabulary, lowercase=lowercase)
        content = change(json.loads(fast.to_str()))
        (tmp_path / "tokenizer.json").write_text(json.dumps(content))
        return tmp_path, fast

    return write


@pytest.mark.parametrize("lowercase", [True, False])
def test_the_newer_form(lowercase, write):
    folder, fast = write(lowercase)
    tokenizer = text.BertEmbedTokenizer.from_folder(folder)
    assert tokenizer.get_vocabulary() == PIECES
    expected = [encoding.ids for encoding in fast.encode_batch(TEXTS, add_special_tokens=False)]
    assert tokenizer(TEXTS) == expected


def test_the_older_form_is_read_where_both_are(write):
    folder, _ = write()
    text.save_vocabulary([*PIECES, "more"], folder / "vocab.txt")
    assert text.BertEmbedTokenizer.from_folder(folder).vocabulary_size() == len(PIECES) + 1


def model(**changes):
    return lambda content: {**content, "model": {**content["model"], **changes}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (model(type="BPE"), r"tokenizer\.json: A WordPiece vocabulary .* Received: .*'BPE'"),
        (model(vocab=None), "A WordPiece vocabulary"),
        (model(continuing_subword_prefix="@@"), "the prefix '##'"),
        (lambda content: {**content, "model": None}, "A WordPiece vocabulary"),
        (model(vocab=dict.fromkeys(PIECES, 0)), r"ids of the pieces must be 0, 1, \.\.\."),
        (model(vocab={**dict.fromkeys(PIECES, 0), "x": "1"}), "ids of the pieces must be 0"),
        (
            lambda content: {**content, "added_tokens": [{"content": "<user>"}]},
            r"no pieces of the vocabulary\. Received: \['<user>'\]",
        ),
        *(
            (
                lambda content, added=added: {**content, "added_tokens": added},
                r"tokenizer\.json: `added_tokens` must be a list of objects",
            )
            for added in (["x"], 5, {"content": "the"}, [{}], [{"content": ["the"]}])
        ),
    ],
)
def test_what_is_not_taken(change, message, write):
    with pytest.raises(FileFormatError, match=message):
        text.BertEmbedTokenizer.from_folder(write(change=change)[0])


def test_without_a_vocabulary(tmp_path):
    with pytest.raises(MissingFileError, match=r"vocab\.txt does not exist"):
        text.BertEmbedTokenizer.from_folder(tmp_path)
