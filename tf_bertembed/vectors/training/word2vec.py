"""word2vec, trained by gensim."""

from gensim.models import Word2Vec

from tf_bertembed.vectors.training.gensim_training import train_by_gensim


def train_word2vec(
    corpus,
    *,
    skip_gram=False,
    vector_size=100,
    window=5,
    min_count=5,
    epochs=5,
    learning_rate=0.025,
    negative=5,
    workers=1,
    seed=0,
):
    """Train word2vec by gensim, reading the corpus once an epoch.

    One worker and the same seed give the same vectors; with more workers,
    which are faster, the order in which texts are learned is chance.

    Args:
        corpus: files (a path, or a list of paths), a `WordCorpus`, or another
            iterable of lists of words that can be read several times.
        skip_gram: bool. Whether to learn a word's neighbours from the word,
            instead of the word from its neighbours (CBOW).
        vector_size: int. The width of the vectors.
        window: int. The most words to each side that are neighbours.
        min_count: int. How often a word must occur to be kept.
        epochs: int. How often to go through the corpus.
        learning_rate: float. The learning rate at the start, at most 1; it
            falls to 0.0001.
        negative: int. How many random words each neighbour is told from.
        workers: int. The number of threads.
        seed: int. Seed of all that is random.

    Returns:
        A `gensim.models.KeyedVectors`, most frequent word first, with counts
        as the attribute `count`.

    Raises:
        MissingFileError, FileFormatError: where a file cannot be read.
        BertEmbedError: where the corpus has no word or none that is frequent
            enough, or a number is out of range.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    path = datapath("lee_background.cor")
    trained = vectors.train_word2vec(path, vector_size=20, epochs=1)
    assert trained.index_to_key[0] == "the" and trained["the"].shape == (20,)
    ```

    References:
        - [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546)
        - https://radimrehurek.com/gensim/models/word2vec.html
    """
    return train_by_gensim(
        lambda **shared: Word2Vec(sg=int(skip_gram), **shared),
        corpus,
        min_count,
        epochs,
        vector_size=vector_size,
        window=window,
        learning_rate=learning_rate,
        negative=negative,
        workers=workers,
        seed=seed,
    )
