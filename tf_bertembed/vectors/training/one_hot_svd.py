"""Word vectors without a neural network: neighbours counted, weighted and condensed."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from tf_bertembed import common
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors
from tf_bertembed.vectors.training.cooccurrence import check_cooccurrences
from tf_bertembed.vectors.training.ranges import check_whole


def train_one_hot_svd(cooccurrences, *, vector_size=100, smoothing=0.75, power=0.5, seed=0):
    """Condense the sums of each word's one-hot neighbours into vectors.

    Row i of the co-occurrences is the sum of the one-hot vectors of all
    neighbours of word i. Each count becomes the positive pointwise mutual
    information of the two words, max(0, log(p(i, j) / (p(i) p(j)))), and a
    truncated singular value decomposition U Σ Vᵀ keeps the `vector_size`
    strongest directions: the vectors are the rows of U Σ^power.

    Args:
        cooccurrences: `vectors.Cooccurrences`. Words and how often they meet,
            from `vectors.count_cooccurrences`.
        vector_size: int. The width of the vectors, less than the number of
            words.
        smoothing: float. The power that counts of neighbours are raised to
            before they make the p(j), above 0; less than 1 takes weight from
            rare neighbours.
        power: float. How much directions keep of their strength, from 0
            (none) to 1 (all).
        seed: int. Seed of where the decomposition starts.

    Returns:
        A `gensim.models.KeyedVectors`, most frequent word first, with counts
        as the attribute `count`.

    Raises:
        BertEmbedError: where a number is out of range, or there are fewer
            directions than `vector_size`.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    met = vectors.count_cooccurrences(datapath("lee_background.cor"), window=5, min_count=10)
    condensed = vectors.train_one_hot_svd(met, vector_size=20)
    assert condensed["the"].shape == (20,)
    ```

    References:
        - [Levy and Goldberg, 2014](https://papers.nips.cc/paper/5477),
          section 5: positive PMI, symmetric decomposition (`power=0.5`)
        - [Levy et al., 2015](https://aclanthology.org/Q15-1016/): smoothing
          of neighbours' counts
        - [Deerwester et al., 1990](https://doi.org/10.1002/(SICI)1097-4571(199009)41:6%3C391::AID-ASI1%3E3.0.CO;2-9):
          latent semantic analysis
    """
    check_cooccurrences(cooccurrences)
    check_whole(vector_size=(vector_size, 1), seed=(seed, 0))
    for name, value, least in (("smoothing", smoothing, np.nextafter(0, 1)), ("power", power, 0)):
        if not least <= value <= 1:
            raise common.BertEmbedError(
                f"`{name}` must be a number {'above' if least else 'from'} 0 to 1. "
                f"Received: {value!r}."
            )
    size = len(cooccurrences.words)
    if vector_size >= size:
        raise common.BertEmbedError(
            f"`vector_size` must be less than the number of words, {size}. Received: {vector_size}."
        )
    weighted = positive_information(cooccurrences.matrix, smoothing)
    if not weighted.nnz:
        raise common.BertEmbedError(
            "No two words meet more often than by chance, so there is nothing to condense. "
            f"Received: {size} words, smoothing={smoothing}."
        )
    start = np.random.default_rng(common.derive_seed(seed, "svd")).standard_normal(size)
    # Each of its many products is so small that threads wait ten times as long as they work.
    with threadpool_limits(1, "blas"):
        left, strengths, _ = svds(weighted, k=vector_size, v0=start)
    order = np.argsort(-strengths)
    left, strengths = left[:, order], strengths[order]
    found = int((strengths > strengths[0] * size * np.finfo(np.float64).eps).sum())
    if found < vector_size:
        raise common.BertEmbedError(
            f"The co-occurrences have only {found} directions that differ; `vector_size` must be "
            f"at most that. Received: {vector_size}."
        )
    # A direction and its opposite are as good; without this the seed would choose.
    left *= np.sign(left[np.abs(left).argmax(axis=0), range(vector_size)])
    return make_keyed_vectors(
        list(cooccurrences.words),
        np.ascontiguousarray(left * strengths**power, np.float32),
        counts=cooccurrences.counts,
    )


def positive_information(matrix, smoothing=1.0):
    """Turn counts of pairs into positive pointwise mutual information.

    Args:
        matrix: scipy sparse matrix of shape [W, W]. How often pairs meet.
        smoothing: float. The power of the counts of columns.

    Returns:
        A scipy `csr_matrix` of float64; what would be negative is left out.
    """
    pairs = sparse.coo_matrix(matrix)
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    columns = np.asarray(matrix.sum(axis=0)).ravel() ** smoothing
    expected = rows[pairs.row] / rows.sum() * (columns[pairs.col] / columns.sum())
    values = np.log(pairs.data / rows.sum() / expected)
    kept = values > 0
    places = pairs.row[kept], pairs.col[kept]
    return sparse.csr_matrix((values[kept], places), shape=matrix.shape)
