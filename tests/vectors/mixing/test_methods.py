import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, text, vectors
from tf_bertembed.vectors.mixing.sparse_weights import sparsemax

SPECIAL = list(text.SPECIAL_TOKENS)
RNG = np.random.default_rng(1)


def keyed(*words, width=8):
    found = KeyedVectors(width)
    found.add_vectors(list(words), RNG.standard_normal((len(words), width), np.float32))
    return found


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


def rows(mixture):
    """The weights of each new piece by the names of the old ones."""
    return {
        piece: {mixture.old_pieces[i]: w for i, w in zip(part.indices, part.data, strict=True)}
        for piece, part in zip(mixture.pieces, mixture.weights, strict=True)
    }


def test_copied_pieces():
    old = [*SPECIAL, "[unused1]", "The", "Paris", "café", "##ing", "ing", "The-not", "1"]
    new = ["1", *reversed(SPECIAL), "[unused1]", "[unused2]", "the", "paris", "cafe", "CAFÉ"]
    mixture = vectors.mix_pieces(old, [*new, "##ing", "##The", "[mask]"], "random")
    ways = dict(zip(mixture.pieces, mixture.ways, strict=True))
    copied = {"1", *SPECIAL, "[unused1]", "##ing"}
    assert {piece for piece, way in ways.items() if way == "copied"} == copied
    cased = {"the": "The", "paris": "Paris", "cafe": "café", "CAFÉ": "café"}
    assert {piece for piece, way in ways.items() if way == "cased"} == set(cased)
    # What looks like a special token in other letters is a piece of its own.
    assert ways["[mask]"] == ways["[unused2]"] == ways["##The"] == "random"
    found = rows(mixture)
    assert all(found[piece] == {source: 1.0} for piece, source in cased.items())
    assert found["##The"] == {}


def test_the_piece_itself_comes_before_one_in_another_case():
    mixture = vectors.mix_pieces([*SPECIAL, "The", "the"], [*SPECIAL, "the", "The", "THE"], "mean")
    assert mixture.ways[5:] == ["copied", "copied", "cased"]
    assert rows(mixture)["THE"] == {"The": 1.0}


@pytest.mark.parametrize(
    ("piece", "parts"),
    [
        ("walking", ["walk", "##ing"]),
        ("##walking", ["walk", "##ing"]),
        ("##inging", ["##ing", "##ing"]),
        ("ing", ["##ing"]),
        ("##walk", ["walk"]),
        ("Wálking", ["walk", "##ing"]),
        ("walkx", []),
        ("###", ["#"]),
    ],
)
def test_the_mean_of_the_pieces_that_a_piece_is_cut_into(piece, parts):
    old = [*SPECIAL, "walk", "##ing", "#"]
    mixture = vectors.mix_pieces(old, [*SPECIAL, "+", piece], "mean")
    assert mixture.ways[-1] == ("mean" if parts else "random")
    table = RNG.normal(size=(len(old), 3))
    if parts:
        expected = np.mean([table[old.index(part)] for part in parts], axis=0)
        np.testing.assert_allclose(mixture.mix(table)[-1], expected, rtol=1e-12)


def test_focus_is_the_sparsemax_over_the_common_pieces(glove):
    common_pieces = ["that", "of", "the", "and", "is", "was", "he", "on"]
    old = [*SPECIAL, *common_pieces, "only-old"]
    mixture = vectors.mix_pieces(old, [*SPECIAL, *common_pieces, "his"], vectors=glove)
    anchors = np.stack([glove[word] for word in common_pieces])
    cosines = anchors @ glove["his"] / np.linalg.norm(anchors, axis=1)
    weights = sparsemax([cosines / np.linalg.norm(glove["his"])])[0]
    expected = {w: s for w, s in zip(common_pieces, weights, strict=True) if s > 0}
    assert rows(mixture)["his"] == pytest.approx(expected, abs=1e-6)
    assert mixture.ways.count("mixed") == 1


def test_pieces_without_a_vector_fall_back():
    old = [*SPECIAL, "dog", "cat", "x", "##y"]
    new = [*old, "cats", "xy", "λ"]
    mixture = vectors.mix_pieces(old, new, vectors=keyed("dog", "cat", "cats"))
    assert mixture.ways[9:] == ["mixed", "mean", "random"]


def test_fasttext_vectors_without_ngrams_are_mixed_as_words():
    fasttext = FastTextKeyedVectors(8, 3, 6, 0)
    fasttext.add_vectors(["dog", "cat"], RNG.standard_normal((2, 8), np.float32))
    old = [*SPECIAL, "dog"]
    assert vectors.mix_pieces(old, [*old, "cat"], vectors=fasttext).ways[-1] == "mixed"


def test_accents_that_stand_alone_are_no_other_accent():
    old = [*SPECIAL, "\u00b4", "\u0301", "##\u0301", "##", "\u00e9"]
    new = [*SPECIAL, "\u00a8", "\u0308", "##\u0308", "##\u0301", "e"]
    mixture = vectors.mix_pieces(old, new, "random")
    assert mixture.ways[5:] == ["random", "random", "random", "copied", "cased"]


def test_vectors_of_the_pieces_themselves():
    old, new = [*SPECIAL, "dog", "##s"], [*SPECIAL, "dog", "##s", "##es"]
    pieces = KeyedVectors(2)
    pieces.add_vectors(["dog", "##s", "##es"], np.array([[1, 0], [0, 1], [0.1, 1]], np.float32))
    mixture = vectors.mix_pieces(old, new, piece_vectors=pieces)
    weights = rows(mixture)["##es"]
    assert mixture.ways[-1] == "mixed"
    assert weights["##s"] > 0.9


def test_wechsel_takes_the_nearest_in_the_common_space():
    english = keyed("dog", "cat", "house", "tree", "sea", "die", width=4)
    turn = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    german = KeyedVectors(4)
    names = {"hund": "dog", "katze": "cat", "haus": "house", "baum": "tree", "meer": "sea"}
    german.add_vectors(list(names), np.stack([english[name] for name in names.values()]) @ turn)
    german.add_vectors(["die"], RNG.standard_normal((1, 4)))
    pairs = [(ours, theirs) for theirs, ours in names.items()][:4]
    old, new = [*SPECIAL, *english.index_to_key, "."], [*SPECIAL, ".", "meer", "die", "hund"]
    mixture = vectors.mix_pieces(
        old, new, "wechsel", vectors=german, source_vectors=english, dictionary=pairs, neighbours=3
    )
    found = rows(mixture)
    # "die" is another word in each language, "." is not.
    assert mixture.ways[5:] == ["copied", "mixed", "mixed", "mixed"]
    for theirs, ours in (("meer", "sea"), ("hund", "dog")):
        assert len(found[theirs]) == 3
        assert max(found[theirs], key=found[theirs].get) == ours
        assert sum(found[theirs].values()) == pytest.approx(1)
    copying = vectors.mix_pieces(
        old, new, "wechsel", vectors=english, source_vectors=english, copying="agreeing"
    )
    assert copying.ways[7] == "copied"
    bare = vectors.mix_pieces(old, new, "random", copying="special")
    assert bare.ways[5:] == ["random"] * 4


def test_random_rows_look_like_old_ones():
    old = [*SPECIAL, *(f"w{i}" for i in range(400))]
    new = [*SPECIAL, *(f"n{i}" for i in range(2000))]
    table = (RNG.normal(size=(405, 3)) * [1, 2, 3] + [0, 5, -5]).astype(np.float32)
    table[:5] = 1e6
    mixture = vectors.mix_pieces(old, new, "random")
    mixed = mixture.mix(table, seed=4)
    assert mixed.dtype == np.float32
    assert (mixed[:5] == 1e6).all()
    np.testing.assert_allclose(mixed[5:].mean(axis=0), table[5:].mean(axis=0), atol=0.2)
    np.testing.assert_allclose(mixed[5:].std(axis=0), table[5:].std(axis=0), rtol=0.05)
    assert (mixture.mix(table, seed=4) == mixed).all()
    assert (mixture.mix(table, seed=5)[5:] != mixed[5:]).all()


def test_the_same_vocabulary_is_the_identity(glove):
    old = [*SPECIAL, "the", "##ing", "É"]
    for arguments in ({"method": "mean"}, {"method": "random"}, {"vectors": glove}):
        mixture = vectors.mix_pieces(old, old, **arguments)
        table = RNG.normal(size=(10, 4)).astype(np.float32)
        assert mixture.mix(table).tobytes() == table[:8].tobytes()
        assert mixture.counts["copied"] == 8


def test_a_column_is_mixed_like_a_table():
    mixture = vectors.mix_pieces([*SPECIAL, "a", "##b"], [*SPECIAL, "ab", "a"], "mean")
    column = RNG.normal(size=7)
    np.testing.assert_allclose(mixture.mix(column), mixture.mix(column[:, None])[:, 0])


def test_the_report(glove):
    old = [*SPECIAL, "that", "of", "w", "##ing"]
    mixture = vectors.mix_pieces(old, [*SPECIAL, "That", "of", "is", "wing", "λ"], vectors=glove)
    report = mixture.to_dict(np.array([0, 0, 0, 0, 0, 5, 1, 2, 2, 0]))
    assert [row["count"] for row in report.values()] == [6, 1, 1, 1, 1]
    assert report["cased"]["occurrence_share"] == 0.5
    assert report["cased"]["examples"] == ["That < that"]
    assert report["mean"]["examples"] == ["wing < w ##ing"]
    assert [report[way]["examples"] for way in ("copied", "random")] == [["of"], ["λ"]]
    assert "occurrence_share" not in mixture.to_dict()["mean"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "best"}, "`method` must be one of focus, wechsel, mean, random. Rec.*'best'"),
        ({"copying": "all"}, "`copying` must be one of agreeing, letterless, special"),
        ({"copying": "special"}, "mixes the pieces that are copied, and `copying='special'`"),
        ({}, "`method='focus'` needs a space to compare pieces in: .* Received: neither"),
        (
            {"vectors": keyed("a"), "piece_vectors": keyed("a")},
            "`method='focus'` needs a space .* Received: both",
        ),
        (
            {"method": "wechsel", "vectors": keyed("a")},
            "word vectors of both languages: .* Missing: source_vectors",
        ),
        (
            {"method": "wechsel", "dictionary": [("a", "b")]},
            "Missing: source_vectors, vectors",
        ),
        (
            {"method": "mean", "vectors": keyed("a")},
            "`method='mean'` takes no vectors. Received too: vectors",
        ),
        (
            {"vectors": keyed("a"), "dictionary": [("a", "b")]},
            "'focus'` takes piece_vectors and vectors. Received too: dictionary",
        ),
        ({"vectors": "g.txt"}, "as a path; pass what `vectors.load` reads .* Received: 'g.txt'"),
        (
            {
                "method": "wechsel",
                "vectors": keyed("a"),
                "source_vectors": keyed("a"),
                "dictionary": "d.tsv",
            },
            "as a path; pass what `vectors.read_dictionary` reads from it. Received: 'd.tsv'",
        ),
        ({"vectors": [1]}, "must be gensim `KeyedVectors`"),
        ({"vectors": keyed("ω")}, r"No piece is a word.* 1 words, 'ω' the first of them"),
        ({"piece_vectors": keyed("ω")}, "`piece_vectors` know none of the 7 pieces"),
        ({"vectors": keyed("new")}, "know none of the 6 pieces that both vocabularies have"),
        (
            {"method": "wechsel", "vectors": keyed("a"), "source_vectors": keyed("a", width=3)},
            "not in one space: they are 8 and 3 wide. Pass a `dictionary`",
        ),
        (
            {
                "method": "wechsel",
                "vectors": keyed("a"),
                "source_vectors": keyed("a"),
                "dictionary": [("b", "c")],
            },
            "None of the 1 pairs of the dictionary have vectors on both sides",
        ),
        ({"method": "mean", "neighbours": 0}, "`neighbours` must be an int of at least 1"),
        ({"method": "mean", "temperature": 0}, "`temperature` above 0"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.mix_pieces([*SPECIAL, "a"], [*SPECIAL, "a", "new"], **arguments)


@pytest.mark.parametrize("strange", ["vocab.txt", {"a": 5}, {"a", "b"}, None])
def test_pieces_whose_place_is_not_their_id(strange):
    for pair, name in ((("a", strange), "new"), ((strange, "a"), "old")):
        old, new = ([*SPECIAL, "a"] if side == "a" else side for side in pair)
        with pytest.raises(common.BertEmbedError, match=f"`{name}` must be a list of pieces, in"):
            vectors.mix_pieces(old, new, "mean")


def test_no_piece_in_common():
    with pytest.raises(common.BertEmbedError, match=r"no piece in common.*take method='wechsel'"):
        vectors.mix_pieces([*SPECIAL, "a"], [*SPECIAL, "б"], vectors=keyed("б"))


def test_a_table_of_another_vocabulary():
    mixture = vectors.mix_pieces([*SPECIAL, "a"], [*SPECIAL, "a"], "mean")
    with pytest.raises(common.BertEmbedError, match=r"the 6 old pieces.*shape \(5, 2\)"):
        mixture.mix(np.zeros((5, 2)))
