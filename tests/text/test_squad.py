import gzip
import json

import pytest

from tf_bertembed import text
from tf_bertembed.common import FileFormatError, MissingFileError
from tf_bertembed.text.squad import nearest

CONTEXT = "🙂我住在北京。The café of Zoë, the café."


def question(name="q1", answers=(("北京", 4),), **changes):
    listed = [{"text": answer, "answer_start": start} for answer, start in answers]
    return {"id": name, "question": "Where?", "answers": listed, **changes}


def without(key, entry):
    return {name: value for name, value in entry.items() if name != key}


def file_of(*questions, context=CONTEXT):
    return {"data": [{"title": "T", "paragraphs": [{"context": context, "qas": [*questions]}]}]}


@pytest.fixture
def write(tmp_path):
    def write(content, name="train.json"):
        path = tmp_path / name
        path.write_text(
            content if isinstance(content, str) else json.dumps(content, ensure_ascii=False),
            encoding="utf-8",
        )
        return path

    return write


def test_examples(write, recwarn):
    path = write(
        {
            "version": "v2.0",
            **file_of(
                question(answers=(("北京", 4), ("Zoë", 19))),
                question("q2", (), is_impossible=True),
            ),
        }
    )
    examples, repairs = text.read_squad(path)
    assert examples == [
        text.SquadExample("q1", "Where?", CONTEXT, (("北京", 4), ("Zoë", 19))),
        text.SquadExample("q2", "Where?", CONTEXT, (), True),
    ]
    assert [example.span for example in examples] == [(4, 6), (-1, -1)]
    assert repairs == text.SquadRepairs()
    assert not recwarn.list


def test_gzip(write, tmp_path):
    plain = write(file_of(question()))
    packed = tmp_path / "train.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert text.read_squad(packed) == text.read_squad(plain)


def test_numbers_are_ids_as_well(write):
    assert text.read_squad(write(file_of(question(7))))[0][0].id == "7"


def test_answers_that_do_not_stand_at_their_offset(write):
    path = write(
        file_of(
            question("moved", (("café", 0), ("café", 29), ("北京", -1))),
            question("absent", (("上海", -1), ("Zoë", 19))),
            question("lost", (("上海", 3),)),
        )
    )
    with pytest.warns(UserWarning, match=r"5 of 6 answers .* 3 were moved .* 2 stand nowhere"):
        examples, repairs = text.read_squad(path)
    assert examples[0].answers == (("café", 11), ("café", 28), ("北京", 4))
    assert examples[1].answers == (("上海", -1), ("Zoë", 19))
    assert repairs == text.SquadRepairs(("moved",) * 3, ("absent", "lost"))
    assert [example.span for example in examples] == [(11, 15), (19, 22), None]
    for example in examples:
        for answer, start in example.answers:
            assert start == -1 or example.context[start:].startswith(answer)


@pytest.mark.parametrize(
    ("start", "found"), [(-5, 0), (0, 0), (1, 0), (2, 0), (3, 5), (4, 5), (5, 5), (9, 5), (99, 5)]
)
def test_nearest(start, found):
    assert nearest("ab---ab--", "ab", start) == found
    assert nearest("ab---ab--", "x", start) == -1


def test_unlabelled(write):
    path = write(file_of(without("answers", question())))
    examples, _ = text.read_squad(path, labelled=False)
    assert examples[0].answers == ()
    assert examples[0].span is None
    with pytest.raises(FileFormatError, match=r"question 1 \(id 'q1'\): the key `answers`"):
        text.read_squad(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [\n{"paragraphs": }]}', r"train.json, line 2: JSON was expected"),
        ("[]", "A JSON object was expected"),
        ({"version": "1.1"}, "The file: the key `data` is missing. Received keys: version"),
        ({"data": {}}, r"The file: `data` must be a list. Received: \{\}"),
        ({"data": []}, "No question was found"),
        ({"data": [[]]}, "Article 1: a JSON object was expected"),
        ({"data": [{"title": "x"}]}, "Article 1: the key `paragraphs` is missing"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "Article 1, paragraph 1: the key `context`"),
        (file_of(question(), context=" "), "Article 1, paragraph 1: `context` is empty"),
        (file_of(without("id", question())), "paragraph 1, question 1: the key `id` is missing"),
        (file_of(question(question=" ")), r"\(id 'q1'\): `question` is empty. Received: ' '"),
        (file_of(question(question=3)), "`question` must be a string. Received: 3"),
        (
            file_of(question(), question()),
            r"question 2 \(id 'q1'\): this id stands at article 1, paragraph 1, question 1 .* too",
        ),
        (file_of(question(answers=(("", 0),))), "an answer: `text` is empty"),
        (file_of(question(answers=(("x", "0"),))), "`answer_start` must be a whole number"),
        (
            file_of(question(answers=(("Rome", 500),))),
            "the answer 'Rome' lies outside of its context of 37 characters.*answer_start 500",
        ),
        (file_of(question(answers=(("Rome", -7),))), "lies outside of its context"),
        (file_of(question(answers=())), 'must say "is_impossible": true. Received: no answer'),
        (file_of(question(is_impossible=True)), "an impossible question has no `answers`"),
        (file_of(question(is_impossible="no")), "`is_impossible` must be true or false"),
    ],
)
def test_faults(content, message, write):
    if "context of" in message:
        message = message.replace("37", str(len(CONTEXT)))
    with pytest.raises(FileFormatError, match=message):
        text.read_squad(write(content))


def test_half_a_surrogate_pair(write):
    path = write(json.dumps(file_of(question(question="what \ud83d?"))))
    with pytest.raises(FileFormatError, match=r"half of a surrogate pair, .* at character 6"):
        text.read_squad(path)


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="SQuAD"):
        text.read_squad(tmp_path / "none.json")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts"),
    [("xquad/en", (1190, 0, 0)), ("xquad/zh", (1190, 0, 0)), ("cmrc2018/dev", (3219, 7, 193))],
)
@pytest.mark.filterwarnings("ignore:.*do not stand at their offset")
def test_real_files(name, counts, development_data):
    examples, repairs = text.read_squad(development_data / f"{name}.json")
    assert (len(examples), len(repairs.moved), len(repairs.absent)) == counts
    assert all(
        start == -1 or example.context.startswith(answer, start)
        for example in examples
        for answer, start in example.answers
    )
