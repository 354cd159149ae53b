import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

REAL = datapath("euclidean_vectors.bin")


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "vectors.bin"
        path.write_bytes(content)
        return path

    return write


def rows(*pairs, end=b"", header=None):
    body = b"".join(
        word.encode() + b" " + np.array(values, "<f4").tobytes() + end for word, values in pairs
    )
    header = header or f"{len(pairs)} {len(pairs[0][1])}"
    return header.encode() + b"\n" + body


def fails_with(path, message, **arguments):
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path, **arguments)
    assert str(error.value) == f"{path}{message}"


@pytest.mark.parametrize("name", ["euclidean_vectors.bin", "poincare_vectors.bin"])
def test_real_files_read_as_gensim_reads_them(name, write):
    theirs = KeyedVectors.load_word2vec_format(datapath(name), binary=True)
    with open(datapath(name), "rb") as file:
        packed = write(gzip.compress(file.read()))
    for path in (datapath(name), packed):
        ours = vectors.load(path)
        assert ours.index_to_key == theirs.index_to_key
        assert ours.vectors.dtype == np.float32
        np.testing.assert_array_equal(ours.vectors, theirs.vectors)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_rows_may_end_in_line_feeds(write, end):
    # The first float of the second row begins with the bytes of a line feed and a space.
    odd = np.frombuffer(b"\n \n ", "<f4")[0]
    found = vectors.load(write(rows(("the", [0.5, -1]), ("我", [odd, 2]), end=end)))
    assert found.index_to_key == ["the", "我"]
    np.testing.assert_array_equal(found.vectors, np.float32([[0.5, -1], [odd, 2]]))


def test_the_first_of_repeated_words_is_kept(write):
    path = write(rows(("a", [1, 2]), ("b", [3, 4]), ("a", [5, 6])))
    with pytest.warns(UserWarning, match="1 line repeats an earlier word"):
        found = vectors.load(path)
    assert found.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(found.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize("missing", [1, 3, 8, 9, 11])
def test_a_file_cut_short(write, missing):
    path = write(rows(("the", [0.5, -1]), ("king", [0.25, 2]))[:-missing])
    word = "" if missing > 8 else ", 'king'"
    fails_with(
        path,
        f": The first line promises 2 words, the file ends within row 2{word}. It may be cut off.",
    )
    with pytest.warns(UserWarning, match="promises 2 words, the file ends within row 2"):
        assert vectors.load(path, skip_bad_lines=True).index_to_key == ["the"]
    assert vectors.load(path, limit=1).index_to_key == ["the"]


def test_a_real_file_cut_short(write):
    with open(REAL, "rb") as file:
        content = file.read()
    with pytest.raises(common.FileFormatError, match="promises 2747 words, the file ends within"):
        vectors.load(write(content[: len(content) // 2]))
    with pytest.raises(common.FileFormatError, match="The gzip data is broken"):
        vectors.load(write(gzip.compress(content)[:-2000]))


PAIR = ("the", [0.5, -1]), ("of", [0.25, 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            rows(*PAIR, header="3 2"),
            ": The first line promises 3 words, the file ends after 2.",
        ),
        (
            rows(*PAIR, header="1 2"),
            ": The first line promises 1 words of 2 numbers, after them 11 bytes are left. The "
            "file may be damaged.",
        ),
        (
            rows(*PAIR, header="2 0"),
            ": The vectors have width 0. A width of at least 1 was expected.",
        ),
        (
            rows(("the", [0.5, -1]), ("of", [0.25, np.nan])),
            ": The vector of row 2, 'of', is not finite. Received: nan in column 2.",
        ),
        (
            rows(("the", [-np.inf, -1]), ("of", [0.25, 1])),
            ": The vector of row 1, 'the', is not finite. Received: -inf in column 1.",
        ),
        (rows(("the", [0.5, -1]), ("", [0.25, 1])), ": Row 2 has no word."),
        (
            rows(*PAIR).replace(b"of", b"o\xe9"),
            ": The word of row 2 is not UTF-8. Received: 'o�'.",
        ),
    ],
)
def test_what_is_wrong(write, content, message):
    fails_with(write(content), message)


def test_a_wrong_width(write):
    content = rows(*[(f"w{row}", np.linspace(0.1, 7, 50)) for row in range(400)], header="400 47")
    with pytest.raises(common.FileFormatError, match=r"No word ends within|not UTF-8|no word"):
        vectors.load(write(content))


def test_words_that_are_not_utf8_can_be_passed_over(write):
    path = write(rows(*PAIR, ("a", [1, 1])).replace(b"of", b"o\xe9"))
    with pytest.warns(UserWarning, match="1 words were passed over. The first: The word of row 2"):
        found = vectors.load(path, skip_bad_lines=True)
    assert found.index_to_key == ["the", "a"]
    np.testing.assert_array_equal(found.vectors, [[0.5, -1], [1, 1]])
