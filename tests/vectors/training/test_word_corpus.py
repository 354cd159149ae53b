import gzip
import sys

import pytest

from tf_bertembed import common, vectors


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_lines_are_read_again_and_again_from_all_files(tmp_path):
    first = write(tmp_path / "a.txt", "One  two\n\n \nthree\r\n")
    second = write(tmp_path / "b.txt.gz", gzip.compress("Vier fünf".encode()))
    corpus = vectors.WordCorpus([first, str(second)])
    expected = [["One", "two"], ["three"], ["Vier", "fünf"]]
    assert list(corpus) == expected
    assert list(corpus) == expected
    assert list(vectors.WordCorpus(first, lowercase=True)) == [["one", "two"], ["three"]]


@pytest.mark.parametrize(
    ("segmenter", "expected"),
    [
        ("spaces", ["COVID-19于2019年，在", "Wuhan。㐀𠀀"]),
        ("characters", ["COVID", "-", "19", *"于", "2019", *"年，在", "Wuhan", *"。㐀𠀀"]),
        ("textwrap:wrap", ["COVID-19于2019年，在", "Wuhan。㐀𠀀"]),
    ],
)
def test_segmenters(tmp_path, segmenter, expected):
    path = write(tmp_path / "zh.txt", "COVID-19于2019年，在 Wuhan。㐀𠀀\n")
    assert list(vectors.WordCorpus(path, segmenter=segmenter)) == [expected]


def test_jieba_finds_words(tmp_path, capfd):
    pytest.importorskip("jieba")
    path = write(tmp_path / "zh.txt", "我来到北京 清华大学\n")
    assert list(vectors.WordCorpus(path, segmenter="jieba")) == [["我", "来到", "北京", "清华大学"]]
    assert capfd.readouterr() == ("", "")


def test_jieba_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(common.MissingPackageError, match="pip install jieba"):
        vectors.WordCorpus(write(tmp_path / "zh.txt", "我"), segmenter="jieba")


@pytest.mark.parametrize(
    ("segmenter", "message"),
    [
        ("words", "must be spaces, characters, jieba, or MODULE:FUNCTION.*Received: 'words'"),
        ("no_such_module:cut", "'no_such_module:cut' cannot be imported: No module named"),
        ("textwrap:cut", "cannot be imported: module 'textwrap' has no attribute 'cut'"),
        (":cut", "':cut' cannot be imported"),
        ("sys:maxsize", "must be a function. Received: 9"),
        (None, "Received: None"),
    ],
)
def test_unusable_segmenters(tmp_path, segmenter, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.WordCorpus(write(tmp_path / "a.txt", "a"), segmenter=segmenter)


@pytest.mark.parametrize("segmenter", ["textwrap:dedent", "textwrap:TextWrapper"])
def test_a_segmenter_that_gives_no_words(tmp_path, segmenter):
    corpus = vectors.WordCorpus(write(tmp_path / "a.txt", "a b"), segmenter=segmenter)
    with pytest.raises(common.BertEmbedError, match=r"must give strings.*Received: "):
        list(corpus)


def test_files_that_cannot_be_read(tmp_path):
    for content, message in (
        (b"good\ncaf\xe9 au lait\n", "a.txt, line 2: UTF-8 text was expected, byte 0xe9"),
        (b"one\x00", "binary file"),
    ):
        corpus = vectors.WordCorpus(write(tmp_path / "a.txt", content))
        with pytest.raises(common.FileFormatError, match=message):
            list(corpus)
    with pytest.raises(common.MissingFileError, match=r"none\.txt does not exist"):
        vectors.WordCorpus(tmp_path / "none.txt")
    with pytest.raises(common.FileFormatError, match="file is empty"):
        vectors.WordCorpus(write(tmp_path / "empty.txt", ""))
    with pytest.raises(common.BertEmbedError, match="at least one file"):
        vectors.WordCorpus([])
