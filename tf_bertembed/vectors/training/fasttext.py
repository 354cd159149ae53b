"""fastText, trained by gensim."""

from gensim.models import FastText

from tf_bertembed.common import BertEmbedError
from tf_bertembed.vectors.training.gensim_training import train_by_gensim
from tf_bertembed.vectors.training.ranges import check_whole


def train_fasttext(
    corpus,
    *,
    skip_gram=False,
    vector_size=100,
    window=5,
    min_count=5,
    epochs=5,
    learning_rate=0.025,
    negative=5,
    min_n=3,
    max_n=6,
    buckets=2_000_000,
    workers=1,
    seed=0,
):
    """Train fastText by gensim, reading the corpus once an epoch.

    A word's vector is the mean of its own and those of its n-grams, runs of
    its characters. They are kept, so any word has a vector, seen or not.

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
        min_n: int. The shortest n-grams, in characters.
        max_n: int. The longest. Chinese words want `min_n=1, max_n=2`.
        buckets: int. How many vectors all n-grams share; they take 4 times
            `vector_size` bytes each, 800 MB by default. Small corpora do
            with fewer.
        workers: int. The number of threads.
        seed: int. Seed of all that is random.

    Returns:
        A `gensim.models.fasttext.FastTextKeyedVectors`, most frequent word
        first, with counts as the attribute `count`.

    Raises:
        MissingFileError, FileFormatError: where a file cannot be read.
        BertEmbedError: where the corpus has no word or none that is frequent
            enough, or a number is out of range.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    path = datapath("lee_background.cor")
    trained = vectors.train_fasttext(path, vector_size=20, epochs=1, buckets=1000)
    assert "unforeseeable" not in trained.key_to_index
    assert trained["unforeseeable"].shape == (20,)
    ```

    References:
        - [Bojanowski et al., 2017](https://aclanthology.org/Q17-1010/)
        - https://radimrehurek.com/gensim/models/fasttext.html
    """
    check_whole(min_n=(min_n, 1), max_n=(max_n, 1), buckets=(buckets, 1))
    if max_n < min_n:
        raise BertEmbedError(
            f"`max_n` must be at least `min_n`. Received: min_n={min_n}, max_n={max_n}."
        )
    return train_by_gensim(
        lambda **shared: FastText(
            sg=int(skip_gram), min_n=min_n, max_n=max_n, bucket=buckets, **shared
        ),
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
