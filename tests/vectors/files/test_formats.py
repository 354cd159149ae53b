import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "glove.txt"
        path.write_bytes(content)
        return path

    return write


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(datapath("test_glove.txt"), "glove.txt")
    return file.getvalue()


def saved_array():
    file = io.BytesIO()
    np.save(file, np.ones((2, 3)))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(), "This is a zip archive. Unpack it and give a file inside it."),
        (bz2.compress(b"the 1 2\n"), "This is packed with bzip2. Unpack it first; gzip is"),
        (lzma.compress(b"the 1 2\n"), "This is packed with xz. Unpack it first; gzip is read"),
        (b"<!DOCTYPE html>\n<p>404</p>", "This is an HTML page, not word vectors; the download"),
        (b"\n <html lang='en'>", "This is an HTML page, not word vectors; the download"),
        (b"version https://git-lfs.github.com/spec/v1\n", "This is a pointer of Git LFS, not"),
        (saved_array(), "This is a NumPy array without words. Put it into a folder"),
        (b"\x89HDF\r\n\x1a\n", "This is an HDF5 file, which is no format of word vectors."),
        (b"\xff\xfet\x00h\x00e\x00", "Text was expected, this is a binary file (NUL byte)."),
        (b"\n\n", "A word and its numbers with one space between were expected. Received: ''"),
        (gzip.compress(b"", mtime=0), "The file holds no word vectors."),
        (gzip.compress(b"the 1.5 2.5\n", mtime=0)[:-4], "The gzip data is broken"),
        (gzip.compress(zipped(), mtime=0), "This is a zip archive."),
    ],
)
def test_what_stands_under_the_name_of_word_vectors(write, content, message):
    path = write(content)
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_short_binary_vectors_that_could_be_text(write):
    # No zero byte, no control character, but no UTF-8 either.
    body = b"a " + np.array([0.3, -0.7], "<f4").tobytes() + b"b " + b"\xcd\xcc\x4c\x3e" * 2
    assert b"\x00" not in body
    found = vectors.load(write(b"2 2\n" + body))
    assert found.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(found["b"], np.float32([0.2, 0.2]))


def test_text_with_a_header_whose_words_are_not_utf8(write):
    path = write("2 2\ncafé 1 2\nthe 1 2\n".encode("latin-1"))
    with pytest.raises(common.FileFormatError, match="line 2: UTF-8 text was expected"):
        vectors.load(path)
    path = write("3 2\ncafé 1\nthe 1 2\nof 1 2\n".encode("latin-1"))
    with pytest.raises(common.FileFormatError, match="line 2: A word and 2 numbers"):
        vectors.load(path)
