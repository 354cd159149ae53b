"""A vector for every piece of a WordPiece vocabulary, from word vectors."""

import dataclasses

import numpy as np
from scipy import sparse

from tf_bertembed import common
from tf_bertembed.vectors import pieces as wordpiece
from tf_bertembed.vectors.coverage import Coverage


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


def align(keyed_vectors, vocabulary, *, word_frequencies=None, seed=0):
    """Give every piece of a WordPiece vocabulary a vector made of word vectors.

    Whole-word pieces are looked up: as they are, in another case, without
    accents. All others, pieces that begin with `##` among them, become the
    frequency-weighted mean of the words that contain them: of the words whose
    segmentation by this vocabulary holds the piece; else, the word that the
    piece is without its `##`; else, the words that have its letters anywhere.
    The vocabulary counts as lower-cased
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

    Returns:
        An `Alignment`.

    Raises:
        BertEmbedError: where the vocabulary is not a list of strings, is
            empty, or where a frequency is not a finite number from 0.

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
    vocabulary = _checked(vocabulary)
    words = keyed_vectors.index_to_key
    vectors = np.asarray(keyed_vectors.vectors, np.float32)
    weights = _weights(words, word_frequencies)
    matrix = _random(vectors, len(vocabulary), seed)
    methods = ["missing"] * len(vocabulary)
    sources = [""] * len(vocabulary)

    taken = _look_up(words, vocabulary, methods)
    rows = list(taken)
    matrix[rows] = vectors[list(taken.values())]
    for row, word in taken.items():
        sources[row] = words[word]
    for row, piece in enumerate(vocabulary):
        if wordpiece.SPECIAL.fullmatch(piece):
            methods[row] = "special"
            if piece == "[PAD]":
                matrix[row] = 0

    left = {piece: row for row, piece in enumerate(vocabulary) if methods[row] == "missing"}
    for find in (_by_segmentation, _by_letters):
        found = find(words, vocabulary, left) if left else {}
        for piece, word, mean in _means(found, weights, vectors):
            row = left.pop(piece)
            matrix[row] = mean
            methods[row] = "composed"
            sources[row] = words[word]
    return Alignment(matrix, methods, vocabulary, sources)


def _checked(vocabulary):
    if isinstance(vocabulary, str) or not hasattr(vocabulary, "__iter__"):
        raise common.BertEmbedError(
            f"`vocabulary` must be a list of pieces. Received: {vocabulary!r}."
        )
    vocabulary = list(vocabulary)
    strange = [piece for piece in vocabulary if not isinstance(piece, str)]
    if strange or not vocabulary:
        raise common.BertEmbedError(
            "`vocabulary` must be a list of strings, one at least. "
            f"Received: {strange[0] if strange else vocabulary!r}."
        )
    return vocabulary


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
    return weights


def _random(vectors, count, seed):
    generator = np.random.default_rng(common.derive_seed(seed, "vectors.align"))
    noise = generator.standard_normal((count, vectors.shape[1]), np.float32)
    return vectors.mean(axis=0) + noise * vectors.std(axis=0)


def _look_up(words, vocabulary, methods):
    """The row and word of each piece that is a word in some form."""
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
        index = {}
        for position, word in enumerate(words):
            index.setdefault(form(word), position)
        for row in left:
            position = index.get(form(vocabulary[row]))
            if position is not None:
                taken[row] = position
                methods[row] = method
        left = [row for row in left if row not in taken]
    return taken


def _by_segmentation(words, vocabulary, left):
    pieces = {piece for piece in vocabulary if not wordpiece.SPECIAL.fullmatch(piece)}
    lowercase = all(piece == piece.lower() for piece in pieces)
    return wordpiece.words_by_piece(words, pieces, lowercase, left)


def _by_letters(words, vocabulary, left):
    letters = {
        piece: wordpiece.normalise(piece.removeprefix(wordpiece.CONTINUATION)) for piece in left
    }
    normalised = [wordpiece.normalise(word) for word in words]
    # "##中" and "##!" come in no segmentation; the word 中 says most about them.
    whole = dict(zip(reversed(normalised), range(len(words) - 1, -1, -1), strict=True))
    asked = {text for text in letters.values() if text not in whole}
    found = wordpiece.words_by_letters(normalised, asked)
    found |= {text: [whole[text]] for text in letters.values() if text in whole}
    return {piece: found[text] for piece, text in letters.items() if text in found}


def _means(found, weights, vectors):
    """Each piece with its heaviest word and the weighted mean of its words."""
    kept = {}
    for piece, indices in found.items():
        words = np.array(indices)
        words = words[weights[words] > 0]
        if words.size:
            kept[piece] = words
    if not kept:
        return
    ends = np.cumsum([0, *map(len, kept.values())])
    words = np.concatenate(list(kept.values()))
    shares = weights[words]
    shares /= np.repeat(np.add.reduceat(shares, ends[:-1]), np.diff(ends))
    table = sparse.csr_matrix(
        (shares.astype(np.float32), words, ends), shape=(len(kept), len(vectors))
    )
    for row, (piece, mean) in enumerate(zip(kept, table @ vectors, strict=True)):
        heaviest = ends[row] + np.argmax(shares[ends[row] : ends[row + 1]])
        yield piece, words[heaviest], mean
