"""What the vectors of pieces that are no word are made of."""

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from gensim.models.fasttext_inner import ft_hash_bytes
from gensim.test.utils import datapath
from scipy.optimize import minimize

from tf_bertembed import common, vectors
from tf_bertembed.vectors import wordpiece
from tf_bertembed.vectors.alignment import least_squares
from tf_bertembed.vectors.alignment.composition import Material, mean_of_words

WORDS = ["the", "walking", "singing", "walk", "sings", "walks", "ring"]
VOCABULARY = ["[PAD]", "[UNK]", "the", "walk", "sing", "##ing", "##s", "r", "##ω"]
ING, S = VOCABULARY.index("##ing"), VOCABULARY.index("##s")


def keyed(words, width=6, seed=5):
    found = KeyedVectors(width)
    generator = np.random.default_rng(seed)
    found.add_vectors(list(words), generator.standard_normal((len(words), width), np.float32))
    return found


@pytest.fixture(scope="module")
def words():
    return keyed(WORDS)


@pytest.fixture(scope="module")
def material(words):
    """What `align` gives to each way, made by hand."""
    known = np.array([piece in WORDS for piece in VOCABULARY])
    matrix = np.stack([words[p] if p in WORDS else np.zeros(6, "float32") for p in VOCABULARY])
    return Material(words, VOCABULARY, 1 / np.arange(1.0, 8), matrix, known)


def made(words, compose, **arguments):
    alignment = vectors.align(words, VOCABULARY, compose=compose, **arguments)
    rows = dict(zip(VOCABULARY, alignment.matrix, strict=True))
    return rows, dict(zip(VOCABULARY, alignment.methods, strict=True)), alignment


def test_a_mean_of_words_at_the_usual_length(words):
    mean, _, _ = made(words, "words")
    rescaled, methods, _ = made(words, "words-rescaled")
    usual = np.median(np.linalg.norm([words["the"], words["walk"]], axis=1))
    for piece in ("##ing", "##s", "sing"):
        assert methods[piece] == "rescaled"
        assert np.linalg.norm(rescaled[piece]) == pytest.approx(usual, rel=1e-5)
        ratio = rescaled[piece] / mean[piece]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    np.testing.assert_array_equal(rescaled["walk"], words["walk"])
    assert methods["##ω"] == "missing"


@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize("free", [False, True])
def test_least_squares_reach_the_smallest_error(words, material, pooling, free):
    rows = np.flatnonzero(~material.known & [piece[0] != "[" for piece in VOCABULARY])
    found = least_squares.fit_pieces(material, rows, pooling, free, power=0.5, ridge=0.3)
    assert set(np.array(VOCABULARY)[found.rows]) == {
        *("sing", "##ing", "##s", "r"),
        *(("the", "walk") if free else ()),
    }
    # The same in plain NumPy: every error that is squared is a row.
    start = material.matrix.astype(np.float64)
    first = mean_of_words(material, rows)
    start[first.rows] = first.vectors
    design, target, weight = [], [], []
    for word, frequency in zip(WORDS, material.weights, strict=True):
        ids = wordpiece.Cutter(VOCABULARY).cut_word(word)
        if not set(ids) & set(found.rows.tolist()):
            continue
        counts = np.bincount(ids, minlength=len(VOCABULARY)) / (
            len(ids) if pooling == "mean" else 1
        )
        design.append(counts)
        target.append(words[word])
        weight.append(frequency**0.5)
    weight = np.array(weight) / np.mean(weight)
    design, target = np.array(design), np.array(target, np.float64)

    def loss(flat):
        table = start.copy()
        table[found.rows] = flat.reshape(-1, 6)
        errors = ((design @ table - target) ** 2).sum(axis=1) @ weight
        return errors + 0.3 * ((table - start) ** 2).sum()

    best = minimize(loss, start[found.rows].ravel(), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(found.vectors, best.x.reshape(-1, 6), atol=2e-3)
    assert loss(found.vectors.ravel()) == pytest.approx(best.fun, rel=1e-5)


def test_least_squares_leave_words_alone_unless_free(words):
    fixed, methods, _ = made(words, "least-squares")
    assert (methods["the"], methods["walk"]) == ("exact", "exact")
    assert {methods[piece] for piece in ("sing", "##ing", "##s")} == {"least-squares"}
    np.testing.assert_array_equal(fixed["walk"], words["walk"])
    free, methods, alignment = made(words, "least-squares-free")
    assert methods["walk"] == "least-squares"
    assert np.abs(free["walk"] - words["walk"]).max() > 1e-3
    assert alignment.coverage.counts["exact"] == 0
    # A word that is cut comes nearer to its vector than by a plain mean.
    plain, _, _ = made(words, "words")

    def error(rows):
        return np.linalg.norm((rows["walk"] + rows["##ing"]) / 2 - words["walking"])

    assert error(free) < error(plain)
    assert error(fixed) < error(plain)


def test_least_squares_where_no_word_is_cut():
    found = vectors.align(keyed(["中", "的"]), ["中", "的", "##中", "##ω"], compose="least-squares")
    assert found.methods == ["exact", "exact", "composed", "missing"]


def test_neighbours_in_words(words):
    rows, methods, alignment = made(words, "neighbours")
    assert methods["##ing"] == "neighbours"
    # Beside it stand "walk", which is a word, and "sing" and "r", which are none.
    np.testing.assert_allclose(rows["##ing"], words["walk"], rtol=1e-6)
    assert alignment.sources[ING] == "walk"
    # Beside "sing" stands no word, so words that hold it are its mean.
    assert methods["sing"] == "composed"


def test_neighbours_in_texts(words):
    texts = ["The rω walk", "walk, sing the the", "nothing r"]
    vocabulary = [*VOCABULARY, ","]
    found = vectors.align(words, vocabulary, compose="neighbours", texts=iter(texts))
    rate = {"the": 3, "walk": 2, "sing": 1, ",": 1, "r": 2, "##ω": 1}
    share = {piece: count / sum(rate.values()) for piece, count in rate.items()}

    def rarer(piece):
        return 1e-4 / (1e-4 + share[piece])

    # "sing" has the comma at distance 1, walk at 2, the at 1 and at 2; "," has no vector.
    weights = {"walk": rarer("walk") / 2, "the": rarer("the") * 1.5}
    expected = sum(weights[p] * words[p] for p in weights) / sum(weights.values())
    assert found.methods[vocabulary.index("sing")] == "neighbours"
    np.testing.assert_allclose(found.matrix[vocabulary.index("sing")], expected, rtol=1e-4)
    # A line ends what is beside what: "r" of the third line has no neighbour.
    weights = {"the": rarer("the"), "walk": rarer("walk") / 2}
    expected = sum(weights[p] * words[p] for p in weights) / sum(weights.values())
    np.testing.assert_allclose(found.matrix[vocabulary.index("r")], expected, rtol=1e-4)
    assert found.methods[ING] == "composed"


@pytest.fixture(scope="module")
def fasttext():
    return load_facebook_vectors(datapath("crime-and-punishment.bin"))


def test_ngrams(fasttext):
    vocabulary = ["[PAD]", "ре", "чел", "##ловек", "##ω", "человек"]
    found = vectors.align(fasttext, vocabulary, compose="ngrams")
    assert found.methods[2:4] == ["ngrams", "ngrams"]
    # A piece that begins a word is what gensim gives for it as a word.
    assert "чел" not in fasttext.key_to_index
    np.testing.assert_allclose(found.matrix[2], fasttext.get_vector("чел"), rtol=1e-5, atol=1e-7)
    assert found.sources[2] == ""


def test_ngrams_of_a_continuation_begin_no_word():
    model = FastText(vector_size=4, min_count=1, min_n=2, max_n=3, bucket=50, seed=2)
    model.build_vocab([["sings", "ring", "in"]])
    keyed_vectors = model.wv
    found = vectors.align(keyed_vectors, ["##ing", "##i", "in"], compose="ngrams")
    buckets = [ft_hash_bytes(gram.encode()) % 50 for gram in ("in", "ng", "g>", "ing", "ng>")]
    expected = keyed_vectors.vectors_ngrams[buckets].mean(axis=0)
    np.testing.assert_allclose(found.matrix[0], expected, rtol=1e-5, atol=1e-7)
    assert found.methods == ["ngrams", "ngrams", "exact"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"compose": "mean"}, r"one of 'words', 'words-rescaled', .* Received: 'mean'\."),
        ({"compose": "ngrams"}, r"needs vectors with n-grams.* Received: KeyedVectors without"),
        ({"texts": ["the"]}, r"goes with `compose='neighbours'` only\. Received: \['the'\]"),
        ({"texts": "corpus.txt", "compose": "neighbours"}, r"Received: 'corpus.txt'"),
    ],
)
def test_a_composition_that_cannot_be(words, arguments, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.align(words, VOCABULARY, **arguments)


@pytest.mark.parametrize(
    "compose", ["words", "words-rescaled", "least-squares", "least-squares-free", "neighbours"]
)
def test_real_vectors_and_a_vocabulary_of_their_language(compose):
    glove = vectors.load(datapath("test_glove.txt"))
    vocabulary = ["[PAD]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdeorst")]
    found = vectors.align(glove, [*vocabulary, "the", "of", "##ing", "##re"], compose=compose)
    assert np.isfinite(found.matrix).all()
    again = vectors.align(glove, [*vocabulary, "the", "of", "##ing", "##re"], compose=compose)
    np.testing.assert_array_equal(found.matrix, again.matrix)
    assert found.matrix.dtype == np.float32
    assert not found.matrix[0].any()


@pytest.mark.parametrize("texts", [None, [], ["", "walking walk"]])
def test_neighbours_where_no_piece_is_a_word(texts):
    found = vectors.align(keyed(["walking"]), ["walk", "##ing"], compose="neighbours", texts=texts)
    assert found.methods == ["composed", "composed"]


@pytest.mark.parametrize("compose", ["words-rescaled", "least-squares", "least-squares-free"])
def test_where_no_piece_is_a_word(compose):
    words = keyed(["walking"])
    found = vectors.align(words, ["walk", "##ing"], compose=compose)
    assert set(found.methods) == {"rescaled" if compose == "words-rescaled" else "least-squares"}
    np.testing.assert_allclose(found.matrix.mean(axis=0), words["walking"], rtol=1e-3)
