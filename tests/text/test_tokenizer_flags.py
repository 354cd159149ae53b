import itertools
import json

import keras
import pytest
from tokenizers import BertWordPieceTokenizer

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError, FileFormatError

PIECES = [
    *text.SPECIAL_TOKENS,
    *("e", "E", "é", "É", "caf", "##é", "##e", "##É", "CAF", "i", "i\u0307", "##i", "n", "##n"),
    *(
        "我",
        "我住",
        "##住",
        "住",
        "a",
        "##a",
        "a我",
        "\uf900",
        "豈",
        "!",
        "，",
        "한",
        "\u1112",
        "##\u1161",
    ),
]
SENTENCES = [
    "Café CAFÉ cafe\u0301 É e\u0301",
    "我住 住我住 a我a 我! 我，住 a住 ，我",
    "\uf900 豈 a\uf900 我\u3400 \u3400",
    "İ İn 한 ñ Ñ \u0301e",
    "我\u200b住 我 住 \ue000我住",
    "住" * 99 + " " + "我" + "住" * 100 + " 我" + "住" * 99,
    "",
]
ALL_FLAGS = list(itertools.product([True, False], [None, True, False], [True, False]))
FLAGS = [(True, False, True), (False, True, True), (True, None, False), (False, False, False)]
NAMES = ("lowercase", "strip_accents", "tokenize_chinese_chars")


def reference(vocabulary, flags):
    lowercase, strip, chinese = flags
    return BertWordPieceTokenizer(
        {piece: index for index, piece in enumerate(vocabulary)},
        lowercase=lowercase,
        strip_accents=strip,
        handle_chinese_chars=chinese,
    )


def differing(vocabulary, sentences, flags):
    """The texts that the tokenizer cuts otherwise than the package `tokenizers`."""
    tokenizer = text.BertEmbedTokenizer(vocabulary, **dict(zip(NAMES, flags, strict=True)))
    ours = tokenizer.tokenize(sentences).to_list()
    theirs = reference(vocabulary, flags).encode_batch(sentences, add_special_tokens=False)
    pairs = zip(sentences, ours, theirs, strict=True)
    return [sentence for sentence, ids, encoding in pairs if ids != encoding.ids]


@pytest.mark.parametrize("flags", FLAGS)
def test_every_flag_is_that_of_tokenizers(flags):
    assert differing(PIECES, SENTENCES, flags) == []


@pytest.mark.slow
@pytest.mark.parametrize("flags", ALL_FLAGS)
@pytest.mark.parametrize("name", ["google_uncased_en", "google_cased_en", "google_zh"])
def test_parity_on_real_texts(name, flags, development_data):
    vocabulary = text.load_vocabulary(f"{development_data}/vocabularies/{name}.txt")
    first, second = text.read_labelled(f"{development_data}/stsb-en/dev.tsv")[0]
    chinese = text.read_labelled(f"{development_data}/chnsenticorp/dev.tsv")[0]
    with open(f"{development_data}/xquad/zh.json", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    contexts = [p["context"] for article in articles for p in article["paragraphs"]]
    assert differing(vocabulary, [*first, *second, *chinese, *contexts], flags) == []


def test_no_private_character_of_a_text_passes_for_a_chinese_one():
    assert differing(PIECES, ["a" + chr(c) + "我" for c in range(0xF0000, 0xF9000)], FLAGS[2]) == []


def test_offsets_and_words_where_chinese_is_not_split():
    tokenizer = text.BertEmbedTokenizer(PIECES, tokenize_chinese_chars=False)
    ids, starts, ends = tokenizer.tokenize_with_offsets(["a 我住!"])
    assert [PIECES[i] for i in ids.to_list()[0]] == ["a", "我住", "!"]
    assert (starts.to_list(), ends.to_list()) == ([[0, 2, 8]], [[1, 8, 9]])
    assert tokenizer.detokenize(ids).numpy()[0].decode() == "a 我住 !"
    preprocessor = text.Preprocessor(tokenizer, 8, static_words=["我住", "我"])
    assert preprocessor(["我住 我"])["static_ids"].numpy().tolist() == [[0, 1, 2, 0]]


def test_a_vocabulary_with_private_characters_is_refused_where_they_are_needed():
    with pytest.raises(BertEmbedError, match=r"private planes\. Received: .*f0001"):
        text.BertEmbedTokenizer([*PIECES, "\U000f0001"], tokenize_chinese_chars=False)


def test_flags_are_saved_and_old_configurations_load():
    flags = {"lowercase": True, "strip_accents": False, "tokenize_chinese_chars": False}
    config = keras.layers.serialize(text.BertEmbedTokenizer(PIECES, **flags))
    again = keras.layers.deserialize(config)
    assert {name: getattr(again, name) for name in NAMES} == flags
    for name in NAMES[1:]:
        del config["config"][name]
    old = keras.layers.deserialize(config)
    assert (old.strip_accents, old.tokenize_chinese_chars) == (None, True)


@pytest.mark.parametrize("flags", [(True, False, True), (False, None, False)])
def test_flags_of_a_folder(tmp_path, flags):
    text.save_vocabulary(PIECES, tmp_path / "vocab.txt")
    reference(PIECES, flags).save(str(tmp_path / "tokenizer.json"))
    tokenizer = text.BertEmbedTokenizer.from_folder(tmp_path)
    assert tuple(getattr(tokenizer, name) for name in NAMES) == flags
    # Settings count alone where there are any, as in transformers.
    (tmp_path / "tokenizer_config.json").write_text('{"strip_accents": true}')
    tokenizer = text.BertEmbedTokenizer.from_folder(tmp_path)
    assert tuple(getattr(tokenizer, name) for name in NAMES) == (True, True, True)


def test_another_normalizer_is_refused(tmp_path):
    text.save_vocabulary(PIECES, tmp_path / "vocab.txt")
    (tmp_path / "tokenizer.json").write_text('{"normalizer": {"type": "NFC"}}')
    with pytest.raises(FileFormatError, match=r"'BertNormalizer' was expected. Received: 'NFC'"):
        text.BertEmbedTokenizer.from_folder(tmp_path)
