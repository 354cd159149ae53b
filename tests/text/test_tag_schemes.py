import pytest
from seqeval.metrics.sequence_labeling import get_entities

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.tag_schemes import to_bioes

# Two persons side by side, a place, and an entity of one word, in each scheme.
SENTENCES = {
    "IOB1": "I-PER I-PER B-PER O I-LOC O",
    "IOB2": "B-PER I-PER B-PER O B-LOC O",
    "BIOES": "B-PER E-PER S-PER O S-LOC O",
    "BMES": "B-PER E-PER S-PER O S-LOC O B-LOC M-LOC E-LOC",
    "BILOU": "B-PER L-PER U-PER O U-LOC O",
}


@pytest.mark.parametrize("scheme", SENTENCES)
def test_each_scheme_is_recognised_and_sound(scheme):
    tags = [SENTENCES[scheme].split()]
    assert text.detect_scheme(tags) == scheme
    assert not list(text.scheme_faults(tags, scheme))


@pytest.mark.parametrize("scheme", SENTENCES)
def test_seqeval_reads_the_same_entities_in_each(scheme):
    tags = [to_bioes(tag) for tag in SENTENCES[scheme].split()]
    assert get_entities(tags)[:3] == [("PER", 0, 1), ("PER", 2, 2), ("LOC", 4, 4)]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("NOUN VERB X", None),
        ("O O", None),
        ("O B-PER X", None),
        ("O B O", "IOB2"),
        ("B M E S", "BMES"),
        ("O I-PER", "IOB1"),
        ("B-creative-work I-creative-work", "IOB2"),
        ("S-PER O", "BIOES"),
    ],
)
def test_scheme_of_other_tags(tags, scheme):
    assert text.detect_scheme([tags.split()]) == scheme
    assert text.marks_entities(tags.split()) == (scheme is not None)


def test_letters_of_two_schemes():
    with pytest.raises(BertEmbedError, match=r"one scheme: IOB2 \(BIO\).*letters B, L, M"):
        text.detect_scheme([["B-A", "M-A", "L-A"]])


@pytest.mark.parametrize(
    ("scheme", "tags", "faults"),
    [
        ("IOB2", "O I-A", [(1, "I-A after O: in IOB2 an entity begins with B.")]),
        ("IOB2", "B-A I-B", [(1, "I-B after B-A: in IOB2 an entity begins with B.")]),
        ("IOB2", "I-A", [(0, "I-A at the start of a sentence: in IOB2 an entity begins with B.")]),
        (
            "IOB1",
            "O B-A",
            [(1, "B-A after O: in IOB1 B stands only after an entity of the same type.")],
        ),
        ("BIOES", "O E-A", [(1, "E-A after O: in BIOES an entity begins with B.")]),
        (
            "BMES",
            "B-A M-A O",
            [(1, "M-A before O: in BMES an entity of several words ends with E.")],
        ),
        (
            "BILOU",
            "B-A",
            [(0, "B-A before the end of the sentence: in BILOU an entity of several words ends "
                 "with L.")],
        ),
        ("BIOES", "B-A M-A", [(1, "M-A is no tag of BIOES."),
                              (0, "B-A before M-A: in BIOES an entity of several words ends "
                                  "with E.")]),
    ],
)  # fmt: skip
def test_what_cannot_stand_where_it_stands(scheme, tags, faults):
    found = list(text.scheme_faults([["O"], tags.split()], scheme))
    assert found == [(1, place, problem) for place, problem in faults]
