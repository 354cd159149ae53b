"""What a source of word vectors holds, in a few numbers."""

import dataclasses

import numpy as np

from tf_bertembed.vectors.alignment.alignment import align
from tf_bertembed.vectors.alignment.coverage import Coverage
from tf_bertembed.vectors.files.formats import FORMATS, detect_format
from tf_bertembed.vectors.files.loading import load
from tf_bertembed.vectors.files.request import check_finite
from tf_bertembed.vectors.keyed_vectors import has_ngrams
from tf_bertembed.vectors.training.word_corpus import WordCorpus

FIRST_WORDS = 10
ROWS_AT_ONCE = 1 << 16


@dataclasses.dataclass(frozen=True)
class Description:
    """Size, lengths and first words of word vectors. `str()` gives a few lines.

    Args:
        source: string. The file, folder or name.
        format: string. One of the names that `vectors.save` takes, or `"name"`.
        words: int. Number of words.
        width: int. Numbers in a vector.
        mean_norm: float. Mean length of the vectors.
        min_norm: float. Length of the shortest vector.
        max_norm: float. Length of the longest vector.
        zero_rows: int. Vectors that are all zeros.
        first_words: tuple of strings. The first words of the source.
        ngrams: dict or `None`. `buckets`, `shortest` and `longest` of the
            character n-grams, where there are some.
        coverage: `Coverage` or `None`. How well they fit a vocabulary.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    found = vectors.describe(datapath("test_glove.txt"))
    assert (found.format, found.words, found.width) == ("glove", 76, 50)
    print(found)
    ```
    """

    source: str
    format: str
    words: int
    width: int
    mean_norm: float
    min_norm: float
    max_norm: float
    zero_rows: int
    first_words: tuple
    ngrams: dict | None = None
    coverage: Coverage | None = None

    def to_dict(self):
        """Give the numbers as plain values, for JSON.

        Returns:
            A dict of the fields; `first_words` as a list, `coverage` as
            `Coverage.to_dict` gives it.

        Example:

        ```python
        from gensim.test.utils import datapath
        from tf_bertembed import vectors

        numbers = vectors.describe(datapath("test_glove.txt")).to_dict()
        assert numbers["words"] == 76 and numbers["zero_rows"] == 0
        ```
        """
        # Not `asdict`, which would turn the coverage inside out too.
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        found["first_words"] = list(self.first_words)
        if self.coverage is not None:
            found["coverage"] = self.coverage.to_dict()
        return found

    def __str__(self):
        lines = [
            f"{self.source}: {FORMATS[self.format]}",
            f"  {self.words:,} words, {self.width} numbers each",
            f"  lengths: mean {self.mean_norm:.4g}, from {self.min_norm:.4g} to "
            f"{self.max_norm:.4g}; {self.zero_rows} of them zero",
            f"  first words: {' '.join(self.first_words)}",
        ]
        if self.ngrams is None:
            lines.append("  n-grams: none; only these words have a vector")
        else:
            lines.append(
                "  n-grams: {shortest} to {longest} characters in {buckets:,} buckets; any word "
                "has a vector".format(**self.ngrams)
            )
        if self.coverage is not None:
            lines += ["", str(self.coverage)]
        return "\n".join(lines)


def describe(
    path_or_name,
    *,
    vocabulary=None,
    compose="words-rescaled",
    corpus=None,
    occurrences=None,
    limit=None,
    skip_bad_lines=False,
    allow_pickle=False,
    seed=0,
):
    """Say what a source of word vectors holds, and how well it fits a vocabulary.

    Args:
        path_or_name: string or `pathlib.Path`. What `vectors.load` takes.
        vocabulary: sequence of strings. The pieces of a BERT vocabulary, for
            the report of coverage; `None` for no report.
        compose: string. What pieces that are no word are made of, as for
            `vectors.align`.
        corpus: path or list of paths. Text files that `"neighbours"` looks
            for pieces in; `None` for the words of the vectors.
        occurrences: sequence of ints. How often each piece occurs, as
            `text.count_occurrences` counts it; `None` where that is not known.
        limit: int. Read only the first so many words; `None` for all.
        skip_bad_lines: bool. As for `vectors.load`.
        allow_pickle: bool. As for `vectors.load`.
        seed: int. Seed of the vectors that are drawn for pieces without one.

    Returns:
        A `Description`.

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where the source cannot be read.
        BertEmbedError: where an argument makes no sense.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    found = vectors.describe(datapath("test_glove.txt"), vocabulary=["[PAD]", "the", "of"])
    assert found.coverage.counts["exact"] == 2
    ```
    """
    keyed_vectors = load(
        path_or_name, limit=limit, skip_bad_lines=skip_bad_lines, allow_pickle=allow_pickle
    )
    # A folder is opened without a look at its numbers.
    check_finite(path_or_name, keyed_vectors.index_to_key, keyed_vectors.vectors)
    norms = _norms(keyed_vectors.vectors)
    coverage = None
    if vocabulary is not None:
        texts = None
        if corpus is not None and compose == "neighbours":
            texts = (" ".join(words) for words in WordCorpus(corpus))
        coverage = align(
            keyed_vectors, vocabulary, seed=seed, compose=compose, texts=texts
        ).coverage
        if occurrences is not None:
            coverage = coverage.with_occurrences(occurrences)
    return Description(
        source=str(path_or_name),
        format=detect_format(path_or_name),
        words=len(keyed_vectors),
        width=keyed_vectors.vector_size,
        mean_norm=float(norms.mean()),
        min_norm=float(norms.min()),
        max_norm=float(norms.max()),
        zero_rows=int((norms == 0).sum()),
        first_words=tuple(keyed_vectors.index_to_key[:FIRST_WORDS]),
        ngrams=_ngrams(keyed_vectors),
        coverage=coverage,
    )


def _norms(matrix):
    # In parts: a mapped file need not stand in memory whole.
    norms = np.empty(len(matrix))
    for first in range(0, len(matrix), ROWS_AT_ONCE):
        part = np.asarray(matrix[first : first + ROWS_AT_ONCE], np.float64)
        norms[first : first + len(part)] = np.sqrt(np.einsum("ij,ij->i", part, part))
    return norms


def _ngrams(keyed_vectors):
    if not has_ngrams(keyed_vectors):
        return None
    return {
        "buckets": int(keyed_vectors.bucket),
        "shortest": int(keyed_vectors.min_n),
        "longest": int(keyed_vectors.max_n),
    }
