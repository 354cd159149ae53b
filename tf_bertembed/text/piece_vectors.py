"""Vectors of pieces, learned on a corpus that is cut into them."""

from tf_bertembed.text.vocabulary import iterate_lines
from tf_bertembed.vectors import train_fasttext

BATCH = 512
BUCKETS = 100_000  # of n-grams; the pieces of a vocabulary have not many more


def train_piece_vectors(texts, tokenizer, vector_size=100, epochs=10, min_count=3, seed=0):
    """Learn a vector for each piece of a vocabulary with fastText.

    The texts are cut into pieces, and the pieces are what fastText takes for
    words (skip-gram, with n-grams). So pieces of any kind get vectors in one
    space, in which `vectors.mix_pieces` compares them.

    Args:
        texts: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files.
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        vector_size: int. The width of the vectors.
        epochs: int. How often the texts are gone through.
        min_count: int. How often a piece must occur to get a vector.
        seed: int. Seed of everything that is drawn.

    Returns:
        A `gensim.models.fasttext.FastTextKeyedVectors`; its words are pieces.

    Raises:
        BertEmbedError: where there is no piece, or none that is frequent
            enough, or a number is out of range.
        MissingFileError, FileFormatError: where a file cannot be read.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import text

    with open(datapath("lee_background.cor"), encoding="utf-8") as file:
        corpus = file.readlines()[:20]
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(corpus, 300))
    vectors = text.train_piece_vectors(corpus, tokenizer, vector_size=8, epochs=1)
    assert "the" in vectors.key_to_index and "##ing" in vectors.key_to_index
    ```

    References:
        Bojanowski et al., 2017, https://arxiv.org/abs/1607.04606; for pieces:
        Dobler and de Melo, 2023, https://arxiv.org/abs/2305.14481
    """
    pieces = tokenizer.get_vocabulary()
    lines = list(iterate_lines(texts))
    cut = [
        [pieces[index] for index in ids]
        for start in range(0, len(lines), BATCH)
        for ids in tokenizer.tokenize(lines[start : start + BATCH]).to_list()
    ]
    return train_fasttext(
        cut,
        skip_gram=True,
        vector_size=vector_size,
        min_count=min_count,
        epochs=epochs,
        buckets=BUCKETS,
        seed=seed,
    )
