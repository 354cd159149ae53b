"""A vector for every piece of a WordPiece vocabulary, from word vectors."""

import dataclasses
import functools

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors import wordpiece
from tf_bertembed.vectors.alignment import composition, ngrams
from tf_bertembed.vectors.alignment.coverage import Coverage
from tf_bertembed.vectors.alignment.least_squares import fit_pieces
from tf_bertembed.vectors.alignment.piece_neighbours import mean_of_neighbours
from tf_bertembed.vectors.checks import check_keyed_vectors, check_pieces
from tf_bertembed.vectors.keyed_vectors import has_ngrams

WORDS = (("composed", composition.mean_of_words), ("composed", composition.mean_by_letters))
# What is tried, one after the other, for the pieces that are no word.
COMPOSITIONS = {
    "words": WORDS,
    "words-rescaled": (("rescaled", composition.at_usual_length), *WORDS),
    "ngrams": (("ngrams", ngrams.mean_of_ngrams), *WORDS),
    "least-squares": (("least-squares", fit_pieces), *WORDS),
    "least-squares-free": (("least-squares", functools.partial(fit_pieces, free=True)), *WORDS),
    "neighbours": (("neighbours", mean_of_neighbours), *WORDS),
}


@dataclasses.dataclass(frozen=True)
class Alignment:
    """A vector for every piece of a vocabulary, and where it came from.

    The methods, first that fits:

    - `"special"`: `[PAD]` is zeros; `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]` and
      `[unused0]` and so on are random.
    - `"exact"`: the piece is itself a word.
    - `"cased"`: the most frequent word that differs in case only.
    - `"normalised"`: the most frequent word that is the same in lower case
      without accents and compatibility forms.
    - `"composed"`: the mean of the words that contain the piece, weighted by
      their frequency.
    - `"rescaled"`, `"ngrams"`, `"least-squares"`, `"neighbours"`: made in
      another way that `align` was asked for with `compose`.
    - `"missing"`: no word contains the piece, so it is random.

    Args:
        matrix: float32 array of shape [V, S]. One row for each piece.
        methods: list of V strings. How each piece got its row.
        pieces: list of V strings. The vocabulary.
        sources: list of V strings. The word that the row comes from, for
            `"composed"` the one of most weight; `""` where there is none.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    alignment = vectors.align(glove, ["[PAD]", "[UNK]", "The", "of", "##ing"])
    assert alignment.matrix.shape == (5, 50)
    assert alignment.methods[2:4] == ["cased", "exact"]
    assert alignment.coverage.counts["special"] == 2
    ```
    """

    matrix: np.ndarray
    methods: list
    pieces: list
    sources: list

    @property
    def coverage(self):
        """`Coverage`: the pieces counted by method."""
        return Coverage(tuple(self.pieces), tuple(self.methods), tuple(self.sources))


def align(
    keyed_vectors,
    vocabulary,
    *,
    word_frequencies=None,
    seed=0,
    compose="words-rescaled",
    texts=None,
):
    """Give every piece of a WordPiece vocabulary a vector made of word vectors.

    Whole-word pieces are looked up: as they are, in another case, without
    accents. What all others are made of, pieces that begin with `##` among
    them, `compose` says:

    - `"words-rescaled"`: the mean, weighted by frequency, of the words whose
      segmentation by this vocabulary holds the piece, as long as the vectors
      of pieces that are words usually are (the median). The default, since a
      warm start learned fastest from it (`benchmarks/warm_start.py`).
    - `"words"`: the mean as it is; that of many words is about half as long.
    - `"ngrams"`: the mean of the piece's n-grams, for fastText vectors that
      have them.
    - `"least-squares"`: such vectors that the mean over a word's pieces is as
      near as can be to the word's own vector, over all words; looked-up rows
      stay as they are.
    - `"least-squares-free"`: the same, and looked-up rows may move too.
    - `"neighbours"`: the mean of the looked-up pieces that stand beside the
      piece, in `texts`, or without them in the words that hold it.

    Where that gives nothing, it is the mean of the words that hold the piece;
    else, the word that the piece is without its `##`; else, the mean of the
    words that have its letters anywhere. The vocabulary counts as lower-cased
    where no piece has a letter in upper case.

    Random rows are drawn from a normal distribution with the mean and the
    standard deviation of each component over all word vectors, so that they
    look like a word vector.

    Args:
        keyed_vectors: `gensim.models.KeyedVectors`. The word vectors, W of
            width S, most frequent word first.
        vocabulary: list of V strings. The pieces, in the order of their ids.
        word_frequencies: mapping of strings to numbers, how often each word
            occurs (0 where a word is left out). `None` for Zipf's law: the
            word at position `i` occurs as often as `1 / (i + 1)`.
        seed: int. Makes the random rows.
        compose: string. What the rows of pieces that are no word are made
            of: one of the names above.
        texts: iterable of strings. A corpus for `"neighbours"`, a text or a
            line each; `None` where there is none.

    Returns:
        An `Alignment`.

    Raises:
        BertEmbedError: where the vectors are no word vectors, have no width
            or are not finite (with the word); the vocabulary is not a list of
            strings, is empty, or has nothing in common with the words; a
            frequency is not a finite number from 0; or `compose` asks for
            what there is not.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    alignment = vectors.align(glove, ["[PAD]", "[UNK]", "the", "Of", "##ing", "ω"], seed=1)
    assert not alignment.matrix[0].any()
    assert (alignment.matrix[3] == glove["of"]).all()
    assert alignment.methods[5] == "missing"
    print(alignment.coverage)
    ```
    """
    vocabulary = check_pieces(vocabulary, "vocabulary")
    check_keyed_vectors(keyed_vectors)
    _check_composition(compose, keyed_vectors, texts)
    words = keyed_vectors.index_to_key
    vectors = np.asarray(keyed_vectors.vectors, np.float32)
    matrix = _random(vectors, len(vocabulary), seed)
    methods = ["missing"] * len(vocabulary)
    sources = [""] * len(vocabulary)
    for row, piece in enumerate(vocabulary):
        if wordpiece.SPECIAL.fullmatch(piece):
            methods[row] = "special"
            if piece == "[PAD]":
                matrix[row] = 0
    for row, (word, method) in _look_up(words, vocabulary).items():
        matrix[row] = vectors[word]
        methods[row] = method
        sources[row] = words[word]

    left = np.array([method == "missing" for method in methods])
    known = ~left & np.array([method != "special" for method in methods])
    weights = _weights(words, word_frequencies)
    material = composition.Material(keyed_vectors, vocabulary, weights, matrix, known, texts)
    for method, make in COMPOSITIONS[compose]:
        if not left.any():
            break
        made = make(material, np.flatnonzero(left))
        matrix[made.rows] = made.vectors
        left[made.rows] = False
        for row, source in zip(made.rows, made.sources, strict=True):
            methods[row] = method
            sources[row] = source
    if left.any() and all(method in ("special", "missing") for method in methods):
        raise common.BertEmbedError(
            "No piece is a word, or a part of a word, that has a vector: every row would be "
            "random. Give vectors and a vocabulary of one language and script. Received: "
            f"{left.sum()} pieces, {vocabulary[np.argmax(left)]!r} the first of them, and "
            f"{len(words)} words, {words[0]!r} the first of them."
        )
    return Alignment(matrix, methods, vocabulary, sources)


def _check_composition(compose, keyed_vectors, texts):
    if compose not in COMPOSITIONS:
        raise common.BertEmbedError(
            f"`compose` must be one of {', '.join(map(repr, COMPOSITIONS))}. Received: {compose!r}."
        )
    if compose == "ngrams" and not has_ngrams(keyed_vectors):
        raise common.BertEmbedError(
            "`compose='ngrams'` needs vectors with n-grams, of a fastText `.bin` file for example; "
            f"`compose='words'` needs none. Received: "
            f"{type(keyed_vectors).__name__} without n-grams."
        )
    if texts is not None and (compose != "neighbours" or isinstance(texts, str)):
        raise common.BertEmbedError(
            "`texts` must be several strings, and goes with `compose='neighbours'` only. "
            f"Received: {texts!r:.40} with compose={compose!r}."
        )


def _weights(words, word_frequencies):
    if word_frequencies is None:
        return 1 / np.arange(1, len(words) + 1)
    weights = np.array([word_frequencies.get(word, 0) for word in words], np.float64)
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if bad.size:
        raise common.BertEmbedError(
            "`word_frequencies` must be finite numbers from 0. "
            f"Received: {weights[bad[0]]} for {words[bad[0]]!r}."
        )
    if not weights.any():
        raise common.BertEmbedError(
            f"`word_frequencies` must name words that have a vector, {words[0]!r} for example. "
            f"Received: {len(word_frequencies)} words, none of these among them above 0."
        )
    return weights


def _random(vectors, count, seed):
    generator = np.random.default_rng(common.derive_seed(seed, "vectors.align"))
    noise = generator.standard_normal((count, vectors.shape[1]), np.float32)
    # Millions of float32 numbers added up in float32 are off by a thousandth.
    mean = vectors.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->j", vectors, vectors, dtype=np.float64) / len(vectors)
    deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    return mean.astype(np.float32) + noise * deviation.astype(np.float32)


def _look_up(words, vocabulary):
    """The word and the method of each row whose piece is a word in some form."""
    forms = {
        "exact": lambda word: word,
        "cased": str.lower,
        "normalised": wordpiece.normalise,
    }
    taken = {}
    left = [
        row
        for row, piece in enumerate(vocabulary)
        if not piece.startswith(wordpiece.CONTINUATION) and not wordpiece.SPECIAL.fullmatch(piece)
    ]
    for method, form in forms.items():
        wanted = {form(vocabulary[row]) for row in left}
        first = {}
        for position, word in enumerate(map(form, words) if wanted else ()):
            if word in wanted:
                wanted.remove(word)
                first[word] = position
        for row in left:
            position = first.get(form(vocabulary[row]))
            if position is not None:
                taken[row] = position, method
        left = [row for row in left if row not in taken]
    return taken
