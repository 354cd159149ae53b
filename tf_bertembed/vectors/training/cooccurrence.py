"""How often words stand near each other: what GloVe and latent semantic analysis learn from."""

import dataclasses
import itertools

import numpy as np
from scipy import sparse

from tf_bertembed import common
from tf_bertembed.vectors.training.ranges import check_whole
from tf_bertembed.vectors.training.sparse_sums import SparseSum
from tf_bertembed.vectors.training.word_corpus import as_corpus
from tf_bertembed.vectors.training.word_counts import count_corpus

# Words at a time: more only take longer to sort.
MOST, LEAST = 1 << 17, 1 << 10
# Bytes that a pair of neighbours takes while it is counted: its arrays, put together and sorted.
PAIR_BYTES = 64
# How many vectors of a number a word there may be, the starts of rows of sparse matrices.
ROW_STARTS = 64


@dataclasses.dataclass(frozen=True)
class Cooccurrences:
    """Words of a corpus, most frequent first, and how often they meet.

    Args:
        words: list of W strings.
        counts: list of W ints. How often each word occurs.
        matrix: scipy `csr_matrix` of float64, shape [W, W]. Row i, column j:
            how often word j stands in the window of word i, weighted.
        tokens: int. All words of the corpus, those too rare for `words` too.
        spills: int. How often the counts went to disk because memory was full.

    Example:

    ```python
    from tf_bertembed import vectors

    corpus = [["the", "cat", "sat"], ["the", "cat"]]
    met = vectors.count_cooccurrences(corpus, window=2, min_count=1)
    assert met.words == ["cat", "the", "sat"] and met.counts == [2, 2, 1]
    assert met.matrix.toarray().tolist() == [[0, 2, 1], [2, 0, 0.5], [1, 0.5, 0]]
    ```
    """

    words: list
    counts: list
    matrix: sparse.csr_matrix
    tokens: int
    spills: int = 0


def check_cooccurrences(cooccurrences):
    """Stop where something else is given, a corpus for example."""
    if not isinstance(cooccurrences, Cooccurrences):
        raise common.BertEmbedError(
            "`cooccurrences` must be what `vectors.count_cooccurrences` makes of a corpus. "
            f"Received: {cooccurrences!r:.80}."
        )


def count_cooccurrences(
    corpus,
    *,
    window=15,
    symmetric=True,
    distance_weighting=True,
    min_count=5,
    memory_mib=1024,
    folder=None,
):
    """Count which words stand near each other, in a bounded memory.

    The corpus is read twice: for its words, then for their neighbours. Words
    that are too rare are left out before the window is laid on the text, so
    it reaches over them. Where the counts outgrow `memory_mib` they go to
    unnamed files, which are merged in the end; the result itself, 12 bytes a
    pair that meets, and the words have to fit in memory beside it.

    Vocabulary and counts are those of Stanford's `vocab_count` and `cooccur`.

    Args:
        corpus: files (a path, or a list of paths), a `WordCorpus`, or another
            iterable of lists of words that can be read several times. A
            window ends where a list ends.
        window: int. How many words to each side count as neighbours.
        symmetric: bool. Whether words to the right count as well as those to
            the left.
        distance_weighting: bool. Whether a neighbour d words away counts 1/d;
            otherwise each counts 1.
        min_count: int. How often a word must occur to be kept.
        memory_mib: int. The memory for counting, in MiB.
        folder: string or `pathlib.Path`. Where counts go when memory is full;
            `None` for the system's folder of temporary files.

    Returns:
        A `Cooccurrences`.

    Raises:
        MissingFileError, FileFormatError: where a file cannot be read.
        BertEmbedError: where the corpus has no word or none that is frequent
            enough, no two words ever meet, a number is out of range, or
            `memory_mib` is too small for the window and the words.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    met = vectors.count_cooccurrences(datapath("lee_background.cor"), window=5)
    assert met.words[0] == "the" and met.matrix.shape == (len(met.words),) * 2
    ```

    References:
        - [Pennington et al., 2014](https://aclanthology.org/D14-1162/),
          section 4.2
    """
    check_whole(window=(window, 1), min_count=(min_count, 1), memory_mib=(memory_mib, 1))
    corpus = as_corpus(corpus)
    counted = count_corpus(corpus, min_count)
    size = len(counted.words)
    memory = memory_mib << 20
    needed = max(4 * PAIR_BYTES * LEAST * window, 4 * ROW_STARTS * size)
    if memory < needed:
        raise common.BertEmbedError(
            f"`memory_mib` must be at least {-(-needed >> 20)} for a window of {window} and "
            f"{size} words. Received: {memory_mib}."
        )
    number = min(MOST, memory // (4 * PAIR_BYTES * window))
    weights = 1 / np.arange(1, window + 1) if distance_weighting else np.ones(window)
    with SparseSum(size, memory, symmetric, folder) as total:
        for ids, texts, fresh in _stretches(corpus, counted, number, window):
            total.add(_pairs(ids, texts, fresh, weights, size))
        matrix = total.total()
    if not matrix.nnz:
        raise common.BertEmbedError(
            "No two words ever meet: every text has only one word that occurs `min_count` times. "
            f"Received: min_count={min_count}, {size} words."
        )
    return Cooccurrences(counted.words, counted.counts, matrix, counted.tokens, total.spills)


def _stretches(corpus, counted, number, window):
    """Yield ids, the texts that they stand in, and where those begin that are new."""
    row_of = {word: row for row, word in enumerate(counted.words)}
    kept = np.zeros(0, np.int32), np.zeros(0, np.int64)
    with common.progress("Counting neighbours", total=counted.tokens) as advance:
        for ids, texts in _numbered(corpus, row_of, number):
            known = ids >= 0
            old = len(kept[0])
            joined = [
                np.concatenate((before, now[known]))
                for before, now in zip(kept, (ids, texts), strict=True)
            ]
            yield *joined, old
            kept = [part[-window:] for part in joined]
            advance(len(ids))


def _numbered(corpus, row_of, number):
    lines, sizes, held, first = [], [], 0, 0

    def arrays():
        words = itertools.chain.from_iterable(lines)
        ids = np.fromiter(map(row_of.get, words, itertools.repeat(-1)), np.int32, held)
        return ids, np.repeat(np.arange(first, first + len(lines)), sizes)

    for line in corpus:
        for start in range(0, len(line), number):
            part = line[start : start + number]
            if lines and held + len(part) > number:
                yield arrays()
                # What is left of a line that is longer than fits belongs to the same text.
                first += len(lines) - bool(start)
                lines, sizes, held = [], [], 0
            lines.append(part)
            sizes.append(len(part))
            held += len(part)
    yield arrays()


def _pairs(ids, texts, fresh, weights, size):
    """Count each word's neighbours to the left; only words from `fresh` on are new."""
    words, neighbours, values = [], [], []
    for distance, weight in enumerate(weights, start=1):
        right = np.arange(max(fresh, distance), len(ids))
        right = right[texts[right] == texts[right - distance]]
        words.append(ids[right])
        neighbours.append(ids[right - distance])
        values.append(np.full(len(right), weight))
    places = np.concatenate(words), np.concatenate(neighbours)
    counted = sparse.coo_matrix((np.concatenate(values), places), shape=(size, size)).tocsr()
    counted.sum_duplicates()
    return counted
