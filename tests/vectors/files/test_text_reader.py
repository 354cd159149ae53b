import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors
from tf_bertembed.vectors.files import text_reader

REAL = datapath("test_glove.txt")


@pytest.fixture
def write(tmp_path):
    def write(content, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def fails_with(path, message, **arguments):
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path, **arguments)
    assert str(error.value) == f"{path}{message}"


@pytest.mark.parametrize(
    ("name", "has_header"),
    [("test_glove.txt", False), ("lee_fasttext.vec", True), ("toy-model.vec", True)],
)
def test_real_files_read_as_gensim_reads_them(name, has_header):
    ours = vectors.load(datapath(name))
    theirs = KeyedVectors.load_word2vec_format(datapath(name), no_header=not has_header)
    assert isinstance(ours, KeyedVectors)
    assert ours.index_to_key == theirs.index_to_key
    assert ours.key_to_index == theirs.key_to_index
    assert ours.vectors.dtype == np.float32
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)
    assert ours.most_similar(ours.index_to_key[0], topn=1) == theirs.most_similar(
        theirs.index_to_key[0], topn=1
    )


def test_gzip_is_seen_by_content(write):
    with open(REAL, "rb") as file:
        content = file.read()
    packed = vectors.load(write(gzip.compress(content), "packed"))
    np.testing.assert_array_equal(packed.vectors, vectors.load(REAL).vectors)


def test_blocks_make_no_difference(monkeypatch):
    whole = vectors.load(REAL)
    monkeypatch.setattr(text_reader, "BLOCK_BYTES", 700)
    cut = vectors.load(REAL)
    assert cut.index_to_key == whole.index_to_key
    np.testing.assert_array_equal(cut.vectors, whole.vectors)
    assert vectors.load(REAL, limit=7).index_to_key == whole.index_to_key[:7]
    some = vectors.load(REAL, words=[whole.index_to_key[row] for row in (70, 3, 31)])
    assert some.index_to_key == [whole.index_to_key[row] for row in (3, 31, 70)]
    np.testing.assert_array_equal(some.vectors, whole.vectors[[3, 31, 70]])


def test_line_ends_byte_order_mark_and_spaces_at_the_end(write):
    plain = "the 1.5 -2e-3\nof .5 3.\n"
    for content in (
        plain[:-1],
        plain.replace("\n", "\r\n"),
        plain.replace("\n", " \n"),
        plain.replace("\n", " \r\n"),
        "\ufeff" + plain,
    ):
        found = vectors.load(write(content))
        assert found.index_to_key == ["the", "of"]
        np.testing.assert_array_equal(found.vectors, np.float32([[1.5, -2e-3], [0.5, 3.0]]))


def test_words_may_hold_spaces_and_other_scripts(write):
    words = [
        ". . .",
        "iphone 6",
        "at name@example.org",
        "the",
        "我住",
        "naïve",
        "🙂",
        "\xa0",
        "\x85",
    ]
    path = write("".join(f"{word} 0.5 -1.5 2.25\n" for word in words))
    assert vectors.load(path).index_to_key == words


def test_words_can_be_added_and_saved(tmp_path):
    found = vectors.load(REAL, limit=3)
    found.add_vector("new", np.ones(50, np.float32))
    assert found.get_index("new") == 3
    found.save_word2vec_format(tmp_path / "saved.txt", write_header=False)
    again = vectors.load(tmp_path / "saved.txt")
    assert again.index_to_key == found.index_to_key
    np.testing.assert_array_equal(again.vectors, found.vectors)


def test_limit_and_words():
    whole = vectors.load(REAL)
    assert vectors.load(REAL, limit=5).index_to_key == whole.index_to_key[:5]
    assert vectors.load(REAL, limit=10**6).index_to_key == whole.index_to_key
    some = vectors.load(REAL, words=(word for word in ["of", "nowhere", "the"]))
    assert some.index_to_key == ["the", "of"]
    np.testing.assert_array_equal(some["of"], whole["of"])
    assert vectors.load(REAL, limit=1, words=["the", "of"]).index_to_key == ["the"]


def test_the_first_of_repeated_words_is_kept(write):
    path = write("a 1 2\nb 3 4\na 5 6\na 7 8\n")
    with pytest.warns(UserWarning, match="vectors.txt: 2 lines repeat an earlier word") as caught:
        found = vectors.load(path)
    assert caught[0].filename == __file__
    assert found.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(found.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ("of 0.1 0.2", "2 after the word"),
        ("of 0.1 0.2 0.3 0.4", "4 after the word"),
        ("new york 0.1 0.2 0.3 0.4", "4 after the word"),
        ("of", "0 after the word"),
        ("", "0 after the word"),
        (" 0.1 0.2 0.3", "no word before them"),
    ],
)
def test_a_ragged_row(write, row, got):
    path = write(f"the 0.1 0.2 0.3\n{row}\nand 0.1 0.2 0.3\n")
    fails_with(
        path,
        ", line 2: A word and 3 numbers with one space between were expected, "
        f"got {got}. Received: {row!r}",
    )


def test_a_ragged_row_of_whole_numbers(write):
    path = write("the 1 2\nof 3 4 5\n")
    fails_with(
        path,
        ", line 2: A word and 2 numbers with one space between were expected, "
        "got 3 after the word. Received: 'of 3 4 5'",
    )


def test_a_ragged_row_far_down_in_a_real_file(write):
    with open(REAL, "rb") as file:
        lines = file.read().splitlines()
    lines[60] = lines[60].rpartition(b" ")[0]
    with pytest.raises(common.FileFormatError, match=r"line 61: A word and 50 .*got 49 after"):
        vectors.load(write(b"\n".join(lines)))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("abc", "A finite number was expected. Received: 'abc'"),
        ("nan", "A finite number was expected. Received: 'nan'"),
        ("-inf", "A finite number was expected. Received: '-inf'"),
        ("1.2.3", "A finite number was expected. Received: '1.2.3'"),
        ("", "A finite number was expected. Received: ''"),
        ("1_0", "A finite number was expected. Received: '1_0'"),
        ("0x1", "A finite number was expected. Received: '0x1'"),
        ("0.1\t0.2", "A finite number was expected. Received: '0.1\\t0.2'"),
        ("1e39", "The number is too large for float32. Received: 1e39"),
    ],
)
def test_what_is_not_a_number(write, field, message):
    path = write(f"the 0.1 0.2 0.3\nof 0.1 {field} 0.3\n")
    fails_with(path, f", line 2: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            ": The file is empty. Give a file or folder of word vectors, or a name: "
            "'glove-6b-50d'.",
        ),
        (b"a 1 2\nb \x00 3\n", ", line 2: Text was expected, this is a binary file (NUL byte)."),
        ("One line.\n", ", line 1: A word and its numbers with one space between were expected. "
         "Received: 'One line.'"),
        ("the\t1\t2\n", ", line 1: A word and its numbers with one space between were expected. "
         "Received: 'the\\t1\\t2'"),
        (
            "a 1 2\ncaf\xe9 1 2\n".encode("latin-1"),
            ", line 2: UTF-8 text was expected, byte 0xe9 at column 4 is not UTF-8. "
            "Convert the file, for example with iconv.",
        ),
    ],
)  # fmt: skip
def test_what_is_not_a_file_of_vectors(write, content, message):
    fails_with(write(content), message)


def test_a_first_line_that_promises_more():
    # This file of gensim's promises 3 words and has one.
    path = datapath("pretrained.vec")
    problem = "The first line promises 3 words, the file has 1. It may be cut off."
    fails_with(path, f", line 1: {problem} To read it as it is: `skip_bad_lines`.")
    with pytest.warns(UserWarning, match=problem) as caught:
        found = vectors.load(path, skip_bad_lines=True)
    assert caught[0].filename == __file__
    assert found.index_to_key == ["dummy"]
    assert len(vectors.load(path, limit=1)) == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "1 3",
            "The first line promises 1 words, the file has 2. It may be damaged. "
            "To read it as it is: `skip_bad_lines`.",
        ),
        (
            "2 300",
            "The first line promises vectors of width 300, most of the lines after it have 3 "
            "numbers after the word.",
        ),
        ("2 0", "The first line promises vectors of width 0."),
    ],
)
def test_a_first_line_that_lies(write, header, message):
    fails_with(write(f"{header}\nthe 0.1 0.2 0.3\nof 1 2 3\n"), f", line 1: {message}")


def test_a_first_line_alone(write):
    fails_with(
        write("3 50\n"),
        ", line 1: The first line promises 3 words, the file has 0. It may be cut off. "
        "To read it as it is: `skip_bad_lines`.",
    )


def test_width_one(write):
    for header in ("2 1\n", ""):
        found = vectors.load(write(f"{header}the 0.5\nof -2\n"))
        assert found.index_to_key == ["the", "of"]
        np.testing.assert_array_equal(found.vectors, [[0.5], [-2]])
    # No header: a row of words that are years, with one number each.
    assert vectors.load(write("1999 20\n2000 0.5\n")).index_to_key == ["1999", "2000"]


def test_every_form_of_a_number_is_read_as_python_reads_it(write):
    whole = ["0", "7", "12", "1234567", "12345678", "123456789", ""]
    part = ["5", "0", "25", "0123456", "01234567", "012345678", "0123456789012345", "1" * 20, ""]
    texts = [f"{sign}{a}.{b}" for sign in ("", "-", "+") for a in whole for b in part if a or b]
    texts += ["3", "-4", "1e-5", "-1.5E+3", "9007199254740993.0", "0.9007199254740993", "-0.0"]
    texts += ["16777217.0", "0.1000000014901161", "3.4028235e+38", "1e-45", "-1e-60"]
    content = "".join(f"w{row} {text} -0.5\n" for row, text in enumerate(texts))
    found = vectors.load(write(content)).vectors
    expected = np.array([[float(text), -0.5] for text in texts]).astype(np.float32)
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def test_bad_lines_can_be_passed_over(write):
    good = ["the 0.1 0.2 0.3", "of -1.5 2 3e-2", "new york 0.5 0.25 1.0"]
    bad = [b"", b"a 0.1 0.2", b"b 0.1 nan 0.3", b"caf\xe9 0.1 0.2 0.3", b"c 0.1 0.2 0.3 0.4",
           b"d 1e39 0.2 0.3", b"e 0.1 x 0.3"]  # fmt: skip
    lines = [good[0].encode(), *bad, good[1].encode(), good[2].encode()]
    path = write(b"\n".join(lines))
    with pytest.warns(UserWarning, match="passed over") as caught:
        found = vectors.load(path, skip_bad_lines=True)
    (warning,) = caught
    assert str(warning.message) == (
        f"{path}: 7 of 10 lines could not be read and were passed over (line 2, 3, 4, 5, 6, …). "
        "The first: A word and 3 numbers with one space between were expected, got 0 after the "
        "word. Received: ''"
    )
    assert warning.filename == __file__
    assert found.index_to_key == ["the", "of", "new york"]
    np.testing.assert_array_equal(
        found.vectors, np.float32([[0.1, 0.2, 0.3], [-1.5, 2, 3e-2], [0.5, 0.25, 1.0]])
    )
    fails_with(path, ", line 2: A word and 3 numbers with one space between were expected, "
               "got 0 after the word. Received: ''")  # fmt: skip


def test_only_bad_lines(write):
    with (
        pytest.raises(common.FileFormatError, match="holds no word vectors"),
        pytest.warns(UserWarning, match="2 of 2 lines could not be read"),
    ):
        vectors.load(write("a nan 1.0\nb 1.0 nan\n"), skip_bad_lines=True)


def test_a_file_that_ends_within_a_line(write):
    with open(REAL, "rb") as file:
        path = write(file.read()[:-300])
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path)
    assert str(error.value).endswith("The line has no end: the file may be cut off.")


def test_broken_gzip(write):
    with open(REAL, "rb") as file:
        path = write(gzip.compress(file.read())[:-2000])
    with pytest.raises(common.FileFormatError, match="The gzip data is broken"):
        vectors.load(path)


def test_the_wrong_width():
    fails_with(REAL, ": Vectors of width 300 were expected, got width 50.", width=300)


def test_a_width_that_rows_only_seem_to_have(write):
    path = write("the 0.1 0.2 0.3\nof 0.1 0.2 0.3\n")
    fails_with(path, ": Vectors of width 2 were expected, got width 3.", width=2)


def test_none_of_the_words():
    with pytest.raises(common.BertEmbedError, match=r"None of the 1 `words` asked for is among"):
        vectors.load(REAL, words=["nowhere-land"])


def test_nan_in_every_row_is_no_part_of_the_word(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 nan 3\nof 1 nan 3\n")
    with pytest.raises(ValueError, match="line 1"):
        vectors.load(path)
