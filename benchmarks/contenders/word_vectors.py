"""Readers of word vectors, gensim's and ours, timed after their imports."""

from gensim.models import KeyedVectors

from tf_bertembed import vectors

PACKAGES = ["gensim", "numpy"]


def gensim_text(path):
    """GloVe's text."""
    return lambda: KeyedVectors.load_word2vec_format(path, no_header=True)


def gensim_binary(path):
    """word2vec's binary format."""
    return lambda: KeyedVectors.load_word2vec_format(path, binary=True)


def ours(path):
    """Any format; of a mapped folder, only opening it."""
    vectors.describe  # noqa: B018 - the modules behind are imported here
    return lambda: vectors.load(path)


def ours_used(path):
    """Any format, and the first word looked up."""
    load = ours(path)

    def used():
        found = load()
        assert found.get_vector(found.index_to_key[-1]).any()
        return found

    return used
