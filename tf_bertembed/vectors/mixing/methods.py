"""Ways to make the rows of a new vocabulary out of those of an old one."""

from pathlib import Path

import numpy as np
from scipy import sparse

from tf_bertembed import common
from tf_bertembed.vectors import wordpiece
from tf_bertembed.vectors.alignment.alignment import align
from tf_bertembed.vectors.checks import check_keyed_vectors, check_pieces
from tf_bertembed.vectors.keyed_vectors import has_ngrams
from tf_bertembed.vectors.mixing.dictionaries import fit_turn
from tf_bertembed.vectors.mixing.matching import COPYING, cut_by, match_pieces
from tf_bertembed.vectors.mixing.piece_mixture import PieceMixture
from tf_bertembed.vectors.mixing.sparse_weights import mix_by_sparsemax, mix_nearest

METHODS = ("focus", "wechsel", "mean", "random")
UNKNOWN_VECTORS = ("special", "missing")


def mix_pieces(
    old,
    new,
    method="focus",
    *,
    vectors=None,
    piece_vectors=None,
    source_vectors=None,
    dictionary=None,
    copying=None,
    neighbours=10,
    temperature=0.1,
):
    """Decide what old pieces each piece of a new vocabulary is made of.

    Pieces that both vocabularies have are copied. The others, by method:

    - `"focus"`: the sparsemax of the cosines with the pieces that both have,
      in a space of word vectors.
    - `"wechsel"`: for another language, the softmax of the cosines with the
      nearest of all old pieces, each language in word vectors of its own that
      lie in one space, or are turned into it by a dictionary.
    - `"mean"`: the mean of the old pieces that the piece is cut into.
    - `"random"`: drawn with the mean and deviation of the old pieces.

    A piece without a vector falls back on `"mean"`, and one that cannot be cut
    on `"random"`. Pieces get their vectors by `vectors.align`, out of n-grams
    where the word vectors have them.

    Args:
        old: list of U strings. The old vocabulary.
        new: list of V strings. The new vocabulary.
        method: string. One of the above.
        vectors: `gensim.models.KeyedVectors`. Word vectors of the language of
            the new vocabulary, for `"focus"` and `"wechsel"`.
        piece_vectors: `gensim.models.KeyedVectors`. For `"focus"` in place of
            `vectors`: vectors whose words are the new pieces themselves (see
            `text.train_piece_vectors`).
        source_vectors: `gensim.models.KeyedVectors`. For `"wechsel"`, word
            vectors of the language of the old vocabulary.
        dictionary: list of pairs of strings. For `"wechsel"`, words of the
            old language and their translations; `None` where the vectors of
            both lie in one space already.
        copying: string. Which pieces to copy where both have them:
            `"agreeing"` for all; `"letterless"` for numbers, punctuation and
            special tokens; `"special"` for special tokens alone. By default
            `"letterless"` for `"wechsel"`, since the same letters may be
            another word, else `"agreeing"`.
        neighbours: int. The most old pieces in a mix of `"wechsel"`.
        temperature: float. What the cosines are divided by in `"wechsel"`.

    Returns:
        A `PieceMixture`.

    Raises:
        BertEmbedError: where an argument is missing, is of another method or
            makes no sense, where no piece is in both vocabularies, or where
            the vectors know none of the new pieces.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import text, vectors

    glove = vectors.load(datapath("test_glove.txt"))
    old = [*text.SPECIAL_TOKENS, *"that of the and is was he on by for or had".split()]
    mixture = vectors.mix_pieces(old, [*old, "his", "were"], vectors=glove)
    assert mixture.ways[-2:] == ["mixed", "mixed"]
    assert mixture.examples("mixed")[0].startswith("his < he")
    ```

    References:
        - [Dobler and de Melo, 2023](https://arxiv.org/abs/2305.14481), FOCUS.
        - [Minixhofer et al., 2022](https://arxiv.org/abs/2112.06598), WECHSEL.
    """
    old, new = check_pieces(old, "old"), check_pieces(new, "new")
    given = {
        "vectors": vectors,
        "piece_vectors": piece_vectors,
        "source_vectors": source_vectors,
        "dictionary": dictionary,
    }
    _check(method, given, copying, neighbours, temperature)
    copying = copying or ("letterless" if method == "wechsel" else "agreeing")
    same, alike = match_pieces(old, new, copying)
    ways = ["random"] * len(new)
    shares = {}
    for way, found in (("copied", same), ("cased", alike)):
        for row, source in found.items():
            ways[row] = way
            shares[row] = [source], [1.0]
    left = [
        row
        for row, piece in enumerate(new)
        if row not in shares and not wordpiece.SPECIAL.fullmatch(piece)
    ]
    mixed = {}
    if left and method == "focus":
        mixed = _focus(new, left, {**same, **alike}, vectors, piece_vectors)
    elif left and method == "wechsel":
        mixed = _wechsel(
            old, new, left, vectors, source_vectors, dictionary, neighbours, temperature
        )
    shares |= mixed
    ways = ["mixed" if row in mixed else way for row, way in enumerate(ways)]
    if method != "random":
        left = [row for row in left if row not in mixed]
        cuts = cut_by(old, [new[row] for row in left])
        for row, cut in zip(left, cuts, strict=True):
            if cut:
                ways[row] = "mean"
                shares[row] = cut, [1 / len(cut)] * len(cut)
    return PieceMixture(new, old, ways, _matrix(shares, len(new), len(old)))


def _check(method, given, copying, neighbours, temperature):
    if method not in METHODS:
        raise common.BertEmbedError(
            f"`method` must be one of {', '.join(METHODS)}. Received: {method!r}."
        )
    if copying is not None and copying not in COPYING:
        raise common.BertEmbedError(
            f"`copying` must be one of {', '.join(COPYING)}. Received: {copying!r}."
        )
    if method == "focus" and copying == "special":
        raise common.BertEmbedError(
            "`method='focus'` mixes the pieces that are copied, and `copying='special'` leaves it "
            "none. Take `copying='agreeing'`, or method='wechsel'."
        )
    if not common.is_whole(neighbours) or neighbours < 1 or not temperature > 0:
        raise common.BertEmbedError(
            "`neighbours` must be an int of at least 1 and `temperature` above 0. Received: "
            f"neighbours={neighbours!r}, temperature={temperature!r}."
        )
    known = {name for name, value in given.items() if value is not None}
    allowed = {
        "focus": {"vectors", "piece_vectors"},
        "wechsel": {"vectors", "source_vectors", "dictionary"},
    }.get(method, set())
    if known - allowed:
        raise common.BertEmbedError(
            f"`method={method!r}` takes {' and '.join(sorted(allowed)) or 'no vectors'}. Received "
            f"too: {', '.join(sorted(known - allowed))}."
        )
    if method == "focus" and len(known) != 1:
        raise common.BertEmbedError(
            "`method='focus'` needs a space to compare pieces in: `vectors`, word vectors of the "
            "new domain, or `piece_vectors`, learned on its corpus cut by the new vocabulary. "
            f"Received: {'both' if known else 'neither'}."
        )
    missing = {"vectors", "source_vectors"} - known
    if method == "wechsel" and missing:
        raise common.BertEmbedError(
            "`method='wechsel'` needs word vectors of both languages: `vectors` of the new one and "
            "`source_vectors` of the old one, in one space, or with a `dictionary` that brings "
            f"them there. Missing: {', '.join(sorted(missing))}."
        )
    for name, value in given.items():
        if isinstance(value, (str, Path)):
            read = "read_dictionary" if name == "dictionary" else "load"
            raise common.BertEmbedError(
                f"`{name}` was given as a path; pass what `vectors.{read}` reads from it. "
                f"Received: {str(value)!r}."
            )
        if value is not None and name != "dictionary":
            check_keyed_vectors(value)


def _focus(new, left, copied, vectors, piece_vectors):
    anchors = [row for row in copied if not wordpiece.SPECIAL.fullmatch(new[row])]
    if not anchors:
        raise common.BertEmbedError(
            "The vocabularies have no piece in common, so `method='focus'` has nothing to mix. For "
            "another language take method='wechsel' with vectors of both and a dictionary, for "
            f"another script of the same words method='random'. Received: {new[left[0]]!r}, ..."
        )
    if piece_vectors is None:
        matrix, known = _aligned(vectors, new)
    else:
        matrix, known = _looked_up(piece_vectors, new)
    anchors = [row for row in anchors if known[row]]
    rows = [row for row in left if known[row]]
    if not anchors:
        raise common.BertEmbedError(
            f"The word vectors know none of the {len(copied)} pieces that both vocabularies have, "
            "so `method='focus'` has nothing to mix. Take vectors of their language, or "
            "method='mean'."
        )
    if not rows:
        return {}
    weights = mix_by_sparsemax(matrix[rows], matrix[anchors])
    return _as_shares(rows, weights, [copied[row] for row in anchors])


def _wechsel(old, new, left, vectors, source_vectors, dictionary, neighbours, temperature):
    matrix, known = _aligned(vectors, new)
    sources, source_known = _aligned(source_vectors, old)
    if dictionary is not None:
        turn, _ = fit_turn(vectors, source_vectors, [(theirs, ours) for ours, theirs in dictionary])
        matrix = matrix @ turn
    elif matrix.shape[1] != sources.shape[1]:
        raise common.BertEmbedError(
            "`vectors` and `source_vectors` are not in one space: they are "
            f"{matrix.shape[1]} and {sources.shape[1]} wide. Pass a `dictionary`, which brings "
            "them there, or vectors that are aligned already."
        )
    rows = [row for row in left if known[row]]
    anchors = np.flatnonzero(source_known)
    weights = mix_nearest(matrix[rows], sources[anchors], neighbours, temperature)
    return _as_shares(rows, weights, anchors)


def _aligned(keyed_vectors, vocabulary):
    compose = "ngrams" if has_ngrams(keyed_vectors) else "words"
    alignment = align(keyed_vectors, vocabulary, compose=compose)
    known = np.array([method not in UNKNOWN_VECTORS for method in alignment.methods])
    return alignment.matrix, known & alignment.matrix.any(axis=1)


def _looked_up(keyed_vectors, vocabulary):
    known = np.array([piece in keyed_vectors.key_to_index for piece in vocabulary])
    if not known.any():
        raise common.BertEmbedError(
            f"`piece_vectors` know none of the {len(vocabulary)} pieces: their words must be the "
            f"pieces themselves. Received: {len(keyed_vectors)} words, the first of them "
            f"{keyed_vectors.index_to_key[:3]}."
        )
    matrix = np.zeros((len(vocabulary), keyed_vectors.vector_size), np.float32)
    rows = [keyed_vectors.key_to_index[vocabulary[row]] for row in np.flatnonzero(known)]
    matrix[known] = keyed_vectors.vectors[rows]
    return matrix, known


def _as_shares(rows, weights, columns):
    ends = weights.indptr
    return {
        row: (
            [int(columns[index]) for index in weights.indices[ends[i] : ends[i + 1]]],
            weights.data[ends[i] : ends[i + 1]].tolist(),
        )
        for i, row in enumerate(rows)
    }


def _matrix(shares, height, width):
    rows = [shares.get(row, ((), ())) for row in range(height)]
    ends = np.cumsum([0, *(len(indices) for indices, _ in rows)])
    indices = np.array([index for part, _ in rows for index in part], np.int64)
    data = np.array([share for _, part in rows for share in part], np.float64)
    return sparse.csr_matrix((data, indices, ends), shape=(height, width))
