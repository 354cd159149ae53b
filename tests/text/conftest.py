"""A vocabulary learned from real text, and the tokenizer of it."""

import pytest
from gensim.test.utils import datapath

from tf_bertembed import text


@pytest.fixture(scope="session")
def documents():
    """300 news articles of the Lee corpus, one of gensim's own data sets, cut into sentences."""
    documents = text.read_documents(datapath("lee_background.cor"), one_document_per_line=True)
    return [document[0].split(". ") for document in documents]


@pytest.fixture(scope="session")
def vocabulary(documents):
    return text.train_vocabulary([s for document in documents for s in document], 2000)


@pytest.fixture(scope="session")
def tokenizer(vocabulary):
    return text.BertEmbedTokenizer(vocabulary)
