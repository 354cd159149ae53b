"""Vectors of pieces, learned on a corpus that is cut into them."""

from gensim.models import FastText, KeyedVectors

from tf_bertembed import common
from tf_bertembed.text.vocabulary import SPECIAL_TOKENS, iterate_lines

BUCKETS = 100_000  # of n-grams; gensim's two million are for vocabularies of millions of words
BATCH = 512


def train_piece_vectors(texts, tokenizer, width=100, epochs=10, min_frequency=3, seed=0):
    """Learn a vector for each piece of a vocabulary with fastText.

    The texts are cut into pieces, and the pieces are what fastText takes for
    words (skip-gram, with n-grams). So pieces of any kind get vectors in one
    space, in which `vectors.mix_pieces` compares them.

    Args:
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files.
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        width: int. The width of the vectors.
        epochs: int. How often the texts are gone through.
        min_frequency: int. How often a piece must occur to get a vector.
        seed: int. Seed of everything that is drawn.

    Returns:
        A `gensim.models.KeyedVectors`; its words are pieces.

    Raises:
        BertEmbedError: where no piece occurs often enough.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from gensim.test.utils import datapath
    from pathlib import Path
    from tf_bertembed import text

    corpus = [line for line in open(datapath("lee_background.cor"))][:20]
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(corpus, 300))
    vectors = text.train_piece_vectors(corpus, tokenizer, width=8, epochs=1)
    assert "the" in vectors and "##ing" in vectors
    ```

    References:
        Bojanowski et al., 2017, https://arxiv.org/abs/1607.04606; for pieces:
        Dobler and de Melo, 2023, https://arxiv.org/abs/2305.14481
    """
    pieces = tokenizer.get_vocabulary()
    sentences, batch = [], []

    def cut():
        for ids in tokenizer.tokenize(batch).to_list():
            sentences.append([pieces[index] for index in ids])
        batch.clear()

    for line in iterate_lines(texts):
        batch.append(line)
        if len(batch) == BATCH:
            cut()
    if batch:
        cut()
    model = FastText(
        vector_size=width,
        sg=1,
        min_count=min_frequency,
        bucket=BUCKETS,
        seed=common.derive_seed(seed, "piece vectors"),
        # Threads would take turns in an order of their own.
        workers=1,
    )
    model.build_vocab(sentences)
    if not len(model.wv):
        raise common.BertEmbedError(
            f"The corpus has no piece that occurs at least {min_frequency} times. Received: "
            f"{len(sentences)} texts with {sum(map(len, sentences))} pieces."
        )
    model.train(sentences, total_examples=len(sentences), epochs=epochs)
    words = [word for word in model.wv.index_to_key if word not in SPECIAL_TOKENS]
    found = KeyedVectors(width)
    found.add_vectors(words, model.wv[words])
    return found
