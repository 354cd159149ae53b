import gzip
import warnings

import pytest

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

# The sentence that the documentation of CoNLL-U shows, shortened.
UNIVERSAL = """# sent_id = 1
# text = I haven't a clue
1	I	I	PRON	PRP	_	2	nsubj	_	_
2-3	haven't	_	_	_	_	_	_	_	_
2	have	have	VERB	VBP	_	0	root	_	_
3	not	not	PART	RB	_	2	advmod	_	_
4	a	a	DET	DT	_	4	det	_	_
4.1	real	real	ADJ	JJ	_	_	_	_	_
5	clue	clue	NOUN	NN	_	2	obj	_	_

1	我	我	PRON	PN	_	0	root	_	_
"""


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.conll"):
        path = tmp_path / name
        content = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.mark.parametrize("name", ["a.conll", "a.txt.gz", "a.bmes"])
def test_columns(write, name):
    content = (
        "-DOCSTART- -X- O\n\nAda NNP B-PER\nLove lace\tNNP\tI-PER\r\n#tag  NN   O\n  \n\n"
        "我\tPN\tO\n\u3000 NN O"
    )
    words, tags = text.read_tagged(write(content, name))
    assert words == [["Ada", "Love lace", "#tag"], ["我", "\u3000"]]
    assert tags == [["B-PER", "I-PER", "O"], ["O", "O"]]


def test_universal_columns(write):
    words = [["I", "have", "not", "a", "clue"], ["我"]]
    path = write(UNIVERSAL, "a.conllu.gz")
    assert text.read_tagged(path) == (words, [["PRON", "VERB", "PART", "DET", "NOUN"], ["PRON"]])
    assert text.read_tagged(path, "xpos")[1] == [["PRP", "VBP", "RB", "DT", "NN"], ["PN"]]


def test_words_alone(write):
    path = write("Ada\nwrote\n\nB\n")
    assert text.read_tagged(path, labelled=False) == ([["Ada", "wrote"], ["B"]], None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", "", "The file is empty"),
        ("a.conll", "\n \n-DOCSTART- O\n", "Words with tags were expected; there are none"),
        ("a.conll", "a O\nb\n", r"line 2: A word and its tag were expected.*Received: 'b'"),
        ("a.conll", "a O\nb N O\n", r"line 2: 2 columns were expected.*Received: 3: 'b N O'"),
        ("a.conll", "a N O\n\nb O\n", r"line 3: 3 columns were expected.*Received: 2"),
        ("a.conll", "a\tO\nb\t \tO\n", r"line 2: 2 columns were expected.*Received: 3"),
        ("a.conll", "a\tN\tO\n \t\tO\n", r"line 2: .*expected"),
        ("a.tsv", "id\ttext\tlabel\n1\ta film\tgood\n", r"line 1: .*table: id, text, label"),
        ("a.conll", b"a O\nb\xff O\n", "line 2: UTF-8 text was expected, byte 0xff at column 2"),
        ("a.conll", "a O\nb\x00 O\n", "line 2: .*binary"),
        ("a.conll", "a B-A\nb M-A\nc L-A\n", "a.conll: Tags of entities must be of one scheme"),
        ("a.conllu", "1\ta\ta\tX\n", r"line 1: A row of CoNLL-U has 10 columns.*Received: 4"),
        ("a.conllu", UNIVERSAL.replace("\tVERB", "\t_"), "line 5: The word 'have' has no tag in"),
        ("a.conllu", UNIVERSAL.replace("\n3\t", "\n4\t"), "line 6: The number of a word must be 3"),
        ("a.conllu", UNIVERSAL.replace("\n1\tI\t", "\n1\t\t"), "line 3: The word in column 2 is"),
        ("a.conllu", UNIVERSAL.replace("\n1\tI", "\nx\tI"), "line 3: The number.*Received: 'x'"),
        ("a.conllu", "# text\n\n", "there are none"),
    ],
)
def test_broken_files(write, name, content, message):
    with pytest.raises(FileFormatError, match=message):
        text.read_tagged(write(content, name))


def test_an_unknown_tag_is_named_with_its_line(write):
    path = write("a O\n\nb B-PER\nc I-PER\n")
    with pytest.raises(FileFormatError, match=r"line 4: The tag 'I-PER' is not known. Known: B-"):
        text.read_tagged(path, known={"O", "B-PER"})


def test_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere\.conll does not exist"):
        text.read_tagged(tmp_path / "nowhere.conll")


@pytest.mark.parametrize(("name", "column"), [("a.conllu", "lemma"), ("a.conll", "xpos")])
def test_a_column_that_is_not_there(write, name, column):
    with pytest.raises(BertEmbedError, match=f"Received: '{column}'"):
        text.read_tagged(write(UNIVERSAL, name), column)


def test_tags_that_cannot_stand_where_they_stand_are_reported(write):
    path = write("a O\nb I-PER\n\nc B-PER\nd O\ne I-LOC\nf O\ng B-LOC\nh O\ni B-LOC\n")
    message = (
        r"a\.conll: 2 of 9 tags cannot stand.*line 2: I-PER after O: in IOB2.*line 6: I-LOC after"
    )
    with pytest.warns(UserWarning, match=message):
        words, tags = text.read_tagged(path)
    assert words == [["a", "b"], list("cdefghi")]
    assert tags[1][2] == "I-LOC"


@pytest.mark.slow
def test_real_files(development_data):
    expected = {
        "wnut17/train.conll": (3394, 62730, "IOB2", 13),
        "resume-ner/dev.bmes": (463, 13890, "BMES", 26),
        "ud-en-ewt/dev.conllu.gz": (2001, 25147, None, 17),
    }
    for name, counts in expected.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            words, tags = text.read_tagged(development_data / name)
        labels = {tag for row in tags for tag in row}
        scheme = text.detect_scheme(tags)
        assert (len(words), sum(map(len, words)), scheme, len(labels)) == counts
    # Sentences of this file end within entities.
    with pytest.warns(UserWarning, match="4 of 124099 tags .* line 62390: M-ORG before the end"):
        text.read_tagged(development_data / "resume-ner" / "train.bmes")
