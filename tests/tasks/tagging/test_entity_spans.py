"""Entities are those of seqeval 1.2.2, in its published examples and in any row of tags."""

import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics.sequence_labeling import get_entities

from tf_bertembed.tasks.tagging.entity_spans import EntitySpans
from tf_bertembed.text.tag_schemes import to_bioes

SCHEMES = {
    "IOB": ["O", "B-A", "I-A", "B-B-C", "I-B-C"],
    "BIOES": ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in "AB")],
    "BMES": ["O", *(f"{letter}-{kind}" for letter in "BMES" for kind in "AB")],
    "BILOU": ["O", *(f"{letter}-{kind}" for letter in "BILU" for kind in "AB")],
    "bare": ["B", "M", "E", "S"],
}


def entities(labels, rows):
    width = max(map(len, rows))
    numbers = [[labels.index(tag) for tag in row] + [0] * (width - len(row)) for row in rows]
    known = np.arange(width) < np.array([len(row) for row in rows])[:, None]
    spans = EntitySpans(labels)
    found = [[] for _ in rows]
    for row, first, last, kind in zip(
        *(values.numpy() for values in spans(tf.constant(numbers), tf.constant(known))),
        strict=True,
    ):
        found[row].append((spans.types[kind], first, last))
    return found


# The examples of seqeval's docstrings and README.
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-LOC", [("PER", 0, 1), ("LOC", 3, 3)]),
        ("O O O B-MISC I-MISC I-MISC O", [("MISC", 3, 5)]),
        ("O O B-MISC I-MISC I-MISC I-MISC O", [("MISC", 2, 5)]),
        ("B-NP I-NP O", [("NP", 0, 1)]),
    ],
)
def test_published_examples(tags, expected):
    tags = tags.split()
    assert entities(sorted(set(tags)), [tags, tags[:1]])[0] == expected == get_entities(tags)


@pytest.mark.parametrize("name", SCHEMES)
def test_rows_of_any_tags(name):
    labels, rng = SCHEMES[name], np.random.default_rng(7)
    rows = [rng.choice(labels, size=rng.integers(1, 10)).tolist() for _ in range(500)]
    expected = [get_entities([to_bioes(tag) for tag in row]) for row in rows]
    assert entities(labels, rows) == expected
    assert sum(map(len, expected)) > 900
