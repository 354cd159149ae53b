"""Tags of entities: which scheme they follow, whether they keep to it, and what they say."""

import itertools
import re

from tf_bertembed import common

OUTSIDE = "O"
# What seqeval calls an entity whose tags name no type ("B", "I").
UNTYPED = "_"
TAG = re.compile(r"([BIESMUL])(?:-(.+))?", re.DOTALL)
# The letters of a scheme beside O, each with the letter of BIOES that means the same.
SCHEMES = {
    "IOB2": {"B": "B", "I": "I"},
    "IOB1": {"B": "B", "I": "I"},
    "BIOES": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "BMES": {"B": "B", "M": "I", "E": "E", "S": "S"},
    "BILOU": {"B": "B", "I": "I", "L": "E", "U": "S"},
}
_MEANING = {letter: same for letters in SCHEMES.values() for letter, same in letters.items()}


def split_tag(tag):
    """Take a tag apart.

    Args:
        tag: string. For example `"B-PER"`, `"M-PER"` or `"O"`.

    Returns:
        A pair: the letter of BIOES that means the same, and the type of the
        entity (`"_"` where the tag names none; `None` for `"O"`). `None` for
        what is no tag of an entity.
    """
    if tag == OUTSIDE:
        return OUTSIDE, None
    match = TAG.fullmatch(tag)
    return match and (_MEANING[match[1]], match[2] or UNTYPED)


def marks_entities(labels):
    """Tell whether labels are tags of entities, and not, say, parts of speech.

    Args:
        labels: iterable of strings. The different tags.

    Returns:
        A bool: whether each is `"O"` or a letter of a scheme with or without
        a type, and one at least is not `"O"`.

    Example:

    ```python
    from tf_bertembed import text

    assert text.marks_entities(["O", "B-PER", "I-PER"])
    assert not text.marks_entities(["NOUN", "VERB"])
    ```
    """
    inside = set(labels) - {OUTSIDE}
    return bool(inside) and all(map(split_tag, inside))


def to_bioes(tag):
    """Write a tag with the letters of BIOES, which seqeval reads; others stay as they are."""
    parts = split_tag(tag)
    if not parts or tag == OUTSIDE:
        return tag
    letter, kind = parts
    return letter if kind == UNTYPED else f"{letter}-{kind}"


def detect_scheme(tags):
    """Tell which scheme the tags of sentences follow.

    The letters decide: M means BMES, L or U mean BILOU, E or S mean BIOES;
    B and I alone mean IOB2, where every entity begins with B, or IOB1, where
    B stands only between two entities of one type.

    Args:
        tags: list of lists of strings. The tags of each sentence.

    Returns:
        A string, one of `"IOB1"`, `"IOB2"`, `"BIOES"`, `"BMES"` and
        `"BILOU"`; `None` where the tags are not of entities (parts of speech).

    Raises:
        BertEmbedError: where the letters are of no one scheme.

    Example:

    ```python
    from tf_bertembed import text

    assert text.detect_scheme([["B-PER", "I-PER", "O"]]) == "IOB2"
    assert text.detect_scheme([["I-PER", "B-PER", "O"]]) == "IOB1"
    assert text.detect_scheme([["B-PER", "M-PER", "E-PER"]]) == "BMES"
    assert text.detect_scheme([["PRON", "VERB"]]) is None
    ```

    References:
        Ramshaw and Marcus, 1995, https://aclanthology.org/W95-0107 (IOB1);
        Ratinov and Roth, 2009, https://aclanthology.org/W09-1119 (BILOU)
    """
    labels = set(itertools.chain.from_iterable(tags))
    if not marks_entities(labels):
        return None
    letters = {label[0] for label in labels} - {OUTSIDE}
    if letters <= {"B", "I"}:
        faults = {
            scheme: sum(1 for _ in scheme_faults(tags, scheme)) for scheme in ("IOB2", "IOB1")
        }
        return min(faults, key=faults.get)
    for scheme in ("BIOES", "BMES", "BILOU"):
        if letters <= SCHEMES[scheme].keys():
            return scheme
    known = ", ".join(f"{name} ({''.join(found)}O)" for name, found in SCHEMES.items())
    raise common.BertEmbedError(
        f"Tags of entities must be of one scheme: {known}. "
        f"Received: the letters {', '.join(sorted(letters))}."
    )


def complete_labels(tags):
    """List the tags of sentences, and those that their scheme has beside them.

    Few sentences may hold `B-PER`, but no `I-PER`.

    Args:
        tags: list of lists of strings. The tags of each sentence.

    Returns:
        A list of strings: `"O"` first, then by type and letter; tags that are
        not of entities in the order of their names.

    Raises:
        BertEmbedError: where the letters are of no one scheme.
    """
    labels = set(itertools.chain.from_iterable(tags))
    scheme = detect_scheme(tags)
    if scheme is None:
        return sorted(labels)
    bare = {label for label in labels if len(label) == 1} - {OUTSIDE}
    types = sorted({label[2:] for label in labels if len(label) > 1})
    inside = [f"{letter}-{kind}" for kind in types for letter in SCHEMES[scheme]]
    outside = [OUTSIDE] if OUTSIDE in labels else []
    return [*outside, *(SCHEMES[scheme] if bare else ()), *inside]


def scheme_faults(tags, scheme):
    """Find the tags that cannot stand where they stand.

    Args:
        tags: list of lists of strings. The tags of each sentence.
        scheme: string. One of those that `detect_scheme` returns.

    Yields:
        Triples: the place of the sentence, the place of the tag in it, and a
        string that says what is wrong.

    Example:

    ```python
    from tf_bertembed import text

    faults = list(text.scheme_faults([["O", "I-PER"]], "IOB2"))
    assert faults == [(0, 1, "I-PER after O: in IOB2 an entity begins with B.")]
    ```
    """
    meaning = SCHEMES[scheme]
    for sentence, row in enumerate(tags):
        before, before_tag = (OUTSIDE, None), None
        for place, tag in enumerate([*row, None]):
            now = split_tag(OUTSIDE if tag is None else tag)
            if tag not in (None, OUTSIDE) and (now is None or tag[0] not in meaning):
                yield sentence, place, f"{tag} is no tag of {scheme}."
                now = (OUTSIDE, None)
            problem = _fault(before, now, scheme)
            if problem:
                # An entity without its end is known only where the next tag stands.
                unended = problem.startswith("unended")
                at = place - 1 if unended else place
                yield sentence, at, _message(before_tag, tag, unended, scheme)
            before, before_tag = now, tag


def _fault(before, now, scheme):
    continues = now[0] in "IE" and before[0] in "BI" and before[1] == now[1]
    if scheme == "IOB1":
        between = before[0] in "BI" and before[1] == now[1]
        return "B without one before" if now[0] == "B" and not between else None
    if scheme != "IOB2" and before[0] in "BI" and not continues:
        return "unended"
    return "unbegun" if now[0] in "IE" and not continues else None


def _message(before, tag, unended, scheme):
    letters = {same: letter for letter, same in SCHEMES[scheme].items()}
    if unended:
        follower = "the end of the sentence" if tag is None else tag
        return (
            f"{before} before {follower}: in {scheme} an entity of several words ends with "
            f"{letters['E']}."
        )
    where = "at the start of a sentence" if before is None else f"after {before}"
    if scheme == "IOB1":
        return f"{tag} {where}: in IOB1 B stands only after an entity of the same type."
    return f"{tag} {where}: in {scheme} an entity begins with B."
