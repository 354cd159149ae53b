import csv
import gzip

import pytest
from gensim.test.utils import datapath

from tf_bertembed import text
from tf_bertembed.common import FileFormatError, MissingFileError


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        content = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def test_tsv_has_no_quoting(write):
    path = write("train.tsv", 'label\ttext\r\n1\ta "b\r\n\r\n0\t我住, c\n')
    assert text.read_labelled(path) == (['a "b', "我住, c"], ["1", "0"])


def test_csv_has_quoting(write):
    path = write("train.csv.gz", 'text,label\n"a, ""b""\nc",x\nd,y\n')
    assert text.read_labelled(path) == (['a, "b"\nc', "d"], ["x", "y"])


def test_json_lines(write):
    path = write("train.jsonl", '{"text": "a\\nb", "label": 3}\n\n{"text": "c", "label": "4"}\n')
    assert text.read_labelled(path) == (["a\nb", "c"], ["3", "4"])


def test_pairs_with_scores(write):
    path = write("sts.tsv", "\ufefftext_a\ttext_b\tscore\na\tb\t4.5\n")
    assert text.read_labelled(path) == ((["a"], ["b"]), [4.5])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.tsv", "text\tlabels\na\tx | y\nb\t\nc\tx\n"),
        ("train.csv", 'text,labels\na,x|y\nb,""\nc,x\n'),
        (
            "train.jsonl",
            '{"text": "a", "labels": ["x", "y"]}\n{"text": "b", "labels": []}\n'
            '{"text": "c", "labels": "x"}\n',
        ),
    ],
)
def test_several_labels_a_text_or_none(write, name, content):
    texts, labels = text.read_labelled(write(name, content))
    assert texts == ["a", "b", "c"]
    assert labels == [["x", "y"], [], ["x"]]


def test_a_label_goes_before_a_score(write):
    path = write("train.csv", "text,score,label\na,0.5,x\n")
    assert text.read_labelled(path) == (["a"], ["x"])


def test_without_labels(write):
    path = write("input.tsv", "id\ttext\n7\ta\n")
    assert text.read_labelled(path, labelled=False) == (["a"], None)
    message = r"line 1: The column `label`, `labels` or `score` is missing.*Received: id, text"
    with pytest.raises(FileFormatError, match=message):
        text.read_labelled(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "", "The file is empty"),
        ("a.tsv", "text\tlabel\n", "No row was found"),
        ("a.tsv", "\n\n", "No row was found"),
        (
            "a.tsv",
            "sentence\tlabel\na\tb\n",
            r"line 1: The column `text` .*sentence, label",
        ),
        (
            "a.tsv",
            "text\tlabel\na\tb\na\n",
            r"line 3: 2 columns .* \(text, label\).*: 1",
        ),
        ("a.tsv", "text\tlabel\na\tb\tc\n", "line 2: 2 columns .* Received: 3"),
        (
            "a.tsv",
            "text\tlabel\na\tb\n \tb\n",
            "line 3: `text` must be .* Received: ' '",
        ),
        ("a.tsv", "text\tlabel\na\t\n", "line 2: `label` must be"),
        ("a.tsv", "text\tscore\na\tx\n", "line 2: `score` must be a number. Received: 'x'"),
        ("a.tsv", "text\tscore\na\tnan\n", "line 2: `score` must be a number"),
        ("a.tsv", b"text\tlabel\ncaf\xe9\tb\n", "line 2: UTF-8 text was expected"),
        ("a.tsv", b"text\tlabel\n\x00\tb\n", "line 2: .* binary"),
        ("a.csv", 'text,label\n"a,b\n', "line 2: This is no CSV"),
        ("a.csv", 'text,label\n"a\nb",x\nc\n', "line 4: 2 columns"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text"\n', "line 2: JSON was expected"),
        ("a.jsonl", "[" * 100_000 + "\n", "line 1: .* nested too deeply"),
        ("a.jsonl", '{"text": "a", "label": ' + "9" * 5000 + "}\n", "line 1: A number .* cannot"),
        ("a.tsv", "text\ttext\tlabel\na\tb\tc\n", "line 1: The column `text` stands 2 times"),
        ("a.csv", "text,label,label\na,b,c\n", "line 1: The column `label` stands 2 times"),
        ("a.jsonl", "[1]\n", r"line 1: A JSON object was expected. Received: \[1\]"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n', "line 2: `label` .* None"),
        ("a.jsonl", '{"text": 5, "label": 1}\n', "line 1: `text` must be a string"),
        (
            "a.jsonl",
            '{"text": "a", "label": 1}\n{"text": "b \\ud83d", "label": 1}\n',
            r"line 2: `text` must be text. Received: .*'\\ud83d' at character 3",
        ),
        ("a.tsv", "text\tlabels\na\tx| |y\n", "line 2: each of `labels` .* Received: ' '"),
        ("a.tsv", "text\tlabels\na\tx|x\n", r"line 2: `labels` must name a label once.*'x', 'x'"),
        ("a.jsonl", '{"text": "a", "labels": 7}\n', "line 1: `labels` must be a list.* 7"),
        ("a.jsonl", '{"text": "a", "labels": [null]}\n', "line 1: each of `labels` .* None"),
        ("a.xlsx", "text\n", r"\.tsv, \.csv, .* Received: \.xlsx"),
        ("a", "text\n", "Received: no suffix"),
    ],
)
def test_bad_labelled_files(write, name, content, message):
    path = write(name, content)
    with pytest.raises(FileFormatError, match=message) as error:
        text.read_labelled(path)
    assert str(error.value).startswith(str(path))


def test_missing_files(tmp_path):
    for read in (text.read_labelled, text.read_documents):
        with pytest.raises(MissingFileError):
            read(tmp_path / "none.tsv")


def test_documents(write):
    path = write("corpus.txt.gz", "\n\n One. \nTwo.\r\n \t\n\nThree.")
    assert text.read_documents(path) == [["One.", "Two."], ["Three."]]


def test_one_document_per_line(write):
    path = write("corpus.txt", "a\tb\t\n\nc\n")
    assert text.read_documents(path, one_document_per_line=True) == [["a", "b"], ["c"]]
    assert len(text.read_documents(datapath("lee_background.cor"), True)) == 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "blank lines only"),
        (b"a\n\xff\n", "line 2: UTF-8"),
        (b"a\n\x00", "line 2: .* binary"),
    ],
)
def test_bad_corpora(write, content, message):
    with pytest.raises(FileFormatError, match=message):
        text.read_documents(write("corpus.txt", content))


@pytest.mark.parametrize(
    ("column", "text_read"),
    [
        ('"A man says ""no""."', 'A man says "no".'),
        ('"No," he said.', '"No," he said.'),
        ('"Quoted from start to end"', '"Quoted from start to end"'),
        ('"One" and "two"', '"One" and "two"'),
        ('""', '""'),
    ],
)
def test_only_what_a_spreadsheet_quoted_is_unquoted_in_tsv(tmp_path, column, text_read):
    path = tmp_path / "train.tsv"
    path.write_text(f"text\tlabel\n{column}\tyes\n", encoding="utf-8")
    assert text.read_labelled(path) == ([text_read], ["yes"])


@pytest.mark.parametrize(("suffix", "delimiter"), [("tsv", "\t"), ("csv", ",")])
def test_a_text_may_be_long(write, suffix, delimiter):
    limit = csv.field_size_limit()
    long = "word " * 40_000
    path = write(f"train.{suffix}", f"text{delimiter}label\n{long}{delimiter}x\n")
    assert text.read_labelled(path) == ([long], ["x"])
    assert csv.field_size_limit() == limit
