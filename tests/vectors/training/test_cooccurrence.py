import itertools
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, vectors
from tf_bertembed.vectors.training import cooccurrence

LEE = datapath("lee_background.cor")


def counted_by_hand(corpus, window, symmetric, weighted, min_count):
    """A dict of pairs, word by word."""
    occurrences = Counter(itertools.chain.from_iterable(corpus))
    found = Counter()
    for line in corpus:
        words = [word for word in line if occurrences[word] >= min_count]
        for place, word in enumerate(words):
            for distance in range(1, min(window, place) + 1):
                weight = 1 / distance if weighted else 1
                found[word, words[place - distance]] += weight
                if symmetric:
                    found[words[place - distance], word] += weight
    return found


def as_pairs(met):
    matrix = met.matrix.tocoo()
    return {
        (met.words[row], met.words[column]): value
        for row, column, value in zip(matrix.row, matrix.col, matrix.data, strict=True)
    }


@pytest.fixture(scope="module")
def lee():
    return list(vectors.WordCorpus(LEE))


@pytest.mark.parametrize(
    ("window", "symmetric", "weighted", "min_count", "most"),
    [(5, True, True, 3, 1 << 17), (3, False, True, 1, 50), (4, True, False, 2, 7)],
)
def test_every_pair_is_counted_once(lee, monkeypatch, window, symmetric, weighted, min_count, most):
    # Texts longer than what is counted at a time are cut, and their windows must not be.
    monkeypatch.setattr(cooccurrence, "MOST", most)
    corpus = [*lee[:8], [], ["alone"]]
    met = vectors.count_cooccurrences(
        corpus,
        window=window,
        symmetric=symmetric,
        distance_weighting=weighted,
        min_count=min_count,
    )
    expected = counted_by_hand(corpus, window, symmetric, weighted, min_count)
    found = as_pairs(met)
    assert found.keys() == expected.keys()
    assert all(found[pair] == pytest.approx(value, rel=1e-12) for pair, value in expected.items())
    assert met.tokens == sum(map(len, corpus))


def test_words_are_ordered_by_count_then_by_spelling():
    corpus = [["b", "c", "a", "c", "é", "Z", "once"], ["a", "b", "é", "Z", "c"]]
    met = vectors.count_cooccurrences(corpus, min_count=2)
    assert met.words == ["c", "Z", "a", "b", "é"]
    assert met.counts == [3, 2, 2, 2, 2]


def test_what_goes_to_disk_comes_back_the_same(tmp_path):
    free = vectors.count_cooccurrences(LEE, min_count=1)
    bound = vectors.count_cooccurrences(LEE, min_count=1, memory_mib=4, folder=tmp_path)
    assert free.spills == 0
    assert bound.spills > 2
    assert bound.words == free.words
    assert (bound.matrix.indptr == free.matrix.indptr).all()
    assert (bound.matrix.indices == free.matrix.indices).all()
    np.testing.assert_allclose(bound.matrix.data, free.matrix.data, rtol=1e-12)
    assert list(tmp_path.iterdir()) == []
    left = vectors.count_cooccurrences(LEE, min_count=1, symmetric=False, memory_mib=4)
    assert left.spills
    assert abs(left.matrix + left.matrix.T - free.matrix).max() < 1e-9


@pytest.mark.slow
def test_memory_stays_within_its_bound():
    corpus = list(vectors.WordCorpus(LEE)) * 3
    tracemalloc.start()
    try:
        met = vectors.count_cooccurrences(corpus, min_count=1, memory_mib=8)
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert met.spills > 2
    result = met.matrix.data.nbytes + met.matrix.indices.nbytes
    words = 1 << 21
    assert used < (8 << 20) + result + words


def test_nothing_stays_on_disk_when_the_corpus_breaks(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(Path(LEE).read_bytes())
    folder = tmp_path / "spilled"
    folder.mkdir()

    class Breaking:
        turn = 0

        def __iter__(self):
            self.turn += 1
            yield from vectors.WordCorpus(path)
            if self.turn == 2:
                raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        vectors.count_cooccurrences(Breaking(), min_count=1, memory_mib=4, folder=folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ([], {}, "The corpus has no word."),
        ([[], []], {}, "The corpus has no word."),
        ([["a", "b", "a"]], {}, "min_count=5; of 2 words the most frequent, 'a', occurs 2 times."),
        ([["a"], ["b"]], {"min_count": 1}, "No two words ever meet"),
        ([["a", "b"]], {"window": 0}, "`window` must be an int of at least 1. Received: 0."),
        ([["a", "b"]], {"min_count": 0}, "`min_count` must be an int of at least 1"),
        ([["a", "b"]], {"min_count": 1, "memory_mib": 0}, "`memory_mib` must be an int"),
        ([["a", "b"]], {"min_count": 1, "memory_mib": 2}, "at least 4 for a window of 15 and 2"),
        (["a text"], {}, "a.txt|does not exist"),
        ([["a"], "b c"], {}, "Cut texts into words first. Received: 'b c'"),
        ((line for line in [["a"]]), {}, "a generator can be read once"),
        (3, {}, "`corpus` must be files, or lists of words. Received: 3"),
    ],
)
def test_bad_input(corpus, options, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.count_cooccurrences(corpus, **options)


@pytest.mark.slow
@pytest.mark.parametrize("memory_mib", [8, 1024])
def test_counts_are_those_of_stanfords_program(stanford_corpus, memory_mib):
    path, reference = stanford_corpus
    met = vectors.count_cooccurrences(path, window=10, memory_mib=memory_mib)
    assert (met.spills > 0) == (memory_mib == 8)
    assert len(met.words) == reference["vocabulary_size"]
    assert met.matrix.nnz == reference["nonzero_cooccurrences"]
    assert met.matrix.sum() == pytest.approx(reference["sum_of_cooccurrences"], abs=0.01)
    row_of = {word: row for row, word in enumerate(met.words)}
    for first, second, count in reference["largest"]:
        assert met.matrix[row_of[first], row_of[second]] == pytest.approx(count, abs=1e-4)
