import gzip
import re

import pytest

from tf_bertembed import common
from tf_bertembed.vectors.evaluation import evaluation_sets


def written(tmp_path, content, name="pairs.tsv"):
    path = tmp_path / name
    path.write_bytes(content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("wordsim-353", ("love", "sex", 6.77), ("rooster", "voyage", 0.62), 353),
        ("simlex-999", ("old", "new", 1.58), ("attend", "arrive", 6.08), 999),
    ],
)
def test_the_pairs_that_gensim_carries(name, first, last, count):
    pairs = evaluation_sets.read_pairs(
        evaluation_sets.find(name, evaluation_sets.PAIRS, "word pairs")
    )
    assert len(pairs) == count
    assert pairs[0] == first
    assert last in pairs


def test_the_analogies_that_gensim_carries():
    sections = evaluation_sets.read_analogies(
        evaluation_sets.find("questions-words", evaluation_sets.ANALOGIES, "analogies")
    )
    assert len(sections) == 14
    assert sum(map(len, sections.values())) == 19_544
    assert sections["family"][0] == ("boy", "girl", "brother", "sister")


@pytest.mark.parametrize(
    "content",
    [
        "a\tb\t1.5\nc\td\t2\n",
        "# of 2026\n\na\tb\t1.5\r\nc\td\t2",
        "word1\tword2\tscore\na\tb\t1.5\nc\td\t2\n",
        # Spaces about the words, as in wordsim-297 for Chinese.
        "a\t b\t1.5\nc \td\t2\n",
        "a b 1.5\nc   d 2\n",
        "\ufeffa\tb\t1.5\nc\td\t2\n",
    ],
)
def test_ways_to_write_pairs(tmp_path, content):
    assert evaluation_sets.read_pairs(written(tmp_path, content)) == [
        ("a", "b", 1.5),
        ("c", "d", 2.0),
    ]


def test_words_of_several_parts_and_gzip(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress("New York\t纽约\t9\n".encode()))
    assert evaluation_sets.read_pairs(path) == [("New York", "纽约", 9.0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\t1\na\tb\n", r"line 2: Three columns were expected.*Received: 'a\\tb'"),
        ("a\tb\t1\na\tb\t2\t3\n", "line 2: Three columns were expected"),
        ("a\tb\t1\n\ta\t2\n", "line 2: Three columns were expected"),
        ("a\tb\t1\na\tb\tmuch\n", "line 2: The third column must be a finite.*Received: 'much'"),
        # A comma for a point in the first line is no header.
        ("a\tb\t7,5\n", "line 1: The third column must be a finite.*Received: '7,5'"),
        ("a\tb\t1\na\tb\tnan\n", "line 2: The third column must be a finite"),
        ("a\tb\t1\na\tb\tinf\n", "line 2: The third column must be a finite"),
        ("# nothing\n", "There is no line of `word1 word2 score`"),
        ("word1\tword2\tscore\n", "There is no line of `word1 word2 score`"),
        ("", "The file is empty"),
    ],
)
def test_what_is_no_pairs(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(common.FileFormatError, match=f"{re.escape(str(path))}.*{message}"):
        evaluation_sets.read_pairs(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (": s\na b c d\na b c\n", "line 3: Four words were expected.*Received: 'a b c'"),
        ("a b c d\n", "line 1: A section, `: name`, must come first"),
        (": s\n", "There is no line of four words"),
        ("", "The file is empty"),
    ],
)
def test_what_is_no_analogies(tmp_path, content, message):
    with pytest.raises(common.FileFormatError, match=message):
        evaluation_sets.read_analogies(written(tmp_path, content))


def test_neither_file_nor_name():
    with pytest.raises(common.MissingFileError, match="or a name: 'wordsim-353', 'simlex-999'"):
        evaluation_sets.find("wordsim", evaluation_sets.PAIRS, "word pairs")
