import json

import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

VOCABULARY = ["[PAD]", "[UNK]", "The", "of", "##bout", "and", "ω"]


@pytest.fixture(scope="module")
def coverage():
    return vectors.align(vectors.load(datapath("test_glove.txt")), VOCABULARY).coverage


def test_counts_and_shares(coverage):
    assert coverage.counts == {
        "special": 2,
        "exact": 2,
        "cased": 1,
        "normalised": 0,
        "composed": 1,
        "missing": 1,
    }
    assert sum(coverage.shares.values()) == pytest.approx(1)
    assert coverage.shares["exact"] == 2 / 7
    assert coverage.occurrence_counts is None
    assert coverage.occurrence_shares is None


@pytest.mark.parametrize("as_list", [False, True])
def test_weighed_by_a_corpus(coverage, as_list):
    occurrences = {"The": 2, "of": 1, "and": 5, "ω": 2}
    if as_list:
        occurrences = [occurrences.get(piece, 0) for piece in VOCABULARY]
    seen = coverage.with_occurrences(occurrences)
    assert seen.occurrence_counts["exact"] == 6
    assert seen.occurrence_shares["exact"] == 0.6
    assert seen.occurrence_shares["missing"] == 0.2
    assert seen.examples("exact") == ["and", "of"]
    assert seen.counts == coverage.counts


def test_examples_name_the_word(coverage):
    assert coverage.examples("cased") == ["The < the"]
    assert coverage.examples("exact") == ["of", "and"]
    assert coverage.examples("composed") == ["##bout < about"]
    assert coverage.examples("missing") == ["ω"]


def test_as_text(coverage):
    lines = str(coverage).splitlines()
    assert len(lines) == 7
    assert lines[2] == "exact             2  0.2857  the piece is a word: of, and"
    assert lines[4] == ("normalised        0  0.0000  a word that differs in case or accents")
    seen = str(coverage.with_occurrences({"of": 3, "ω": 1}))
    assert "exact             2  0.2857  0.7500  the piece is a word: of, and" in seen


def test_as_plain_values(coverage):
    seen = coverage.with_occurrences([0, 0, 1, 1, 1, 1, 0])
    found = json.loads(json.dumps(seen.to_dict()))
    assert found["pieces"] == 7
    assert found["methods"]["exact"] == {
        "count": 2,
        "share": 2 / 7,
        "examples": ["of", "and"],
        "occurrences": 2,
        "occurrence_share": 0.5,
    }
    assert "occurrences" not in coverage.to_dict()["methods"]["exact"]


@pytest.mark.parametrize(
    ("occurrences", "message"),
    [
        ({"nowhere": 1}, "names pieces that are not in the vocabulary. Received: 'nowhere'"),
        ([1, 2], r"one count for each of the 7 pieces. Received shape: \(2,\)"),
        ([0] * 7, "one above 0 among them. Received: 0 to 0"),
        ([-1] + [1] * 6, "must be counts from 0.* Received: -1 to 1"),
    ],
)
def test_occurrences_that_do_not_fit(coverage, occurrences, message):
    with pytest.raises(common.BertEmbedError, match=message):
        coverage.with_occurrences(occurrences)


def test_methods_that_were_asked_for_are_named():
    glove = vectors.load(datapath("test_glove.txt"))
    found = vectors.align(glove, [*VOCABULARY, "a"], compose="words-rescaled").coverage
    assert list(found.counts) == [
        "special",
        "exact",
        "cased",
        "normalised",
        "rescaled",
        "composed",
        "missing",
    ]
    assert sum(found.shares.values()) == pytest.approx(1)
    seen = found.with_occurrences({"of": 1, "ω": 3})
    assert seen.occurrence_counts["missing"] == 3


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_drawn(coverage, tmp_path, ending):
    path = tmp_path / f"coverage.{ending}"
    coverage.plot(path)
    alone = path.read_bytes()
    with pytest.raises(common.OutputExistsError):
        coverage.plot(path)
    coverage.with_occurrences({"of": 3}).plot(path, overwrite=True)
    assert path.read_bytes() != alone
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert alone.startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_plot_of_no_known_kind(coverage, tmp_path):
    with pytest.raises(common.BertEmbedError, match=r"as .png, .pdf, .svg. Received: .*plot.gif"):
        coverage.plot(tmp_path / "plot.gif")
