import gzip
import warnings

import numpy as np
import pytest
import safetensors.numpy
from gensim.models import KeyedVectors, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors, load_facebook_vectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors
from tf_bertembed.vectors.files.saving import WITH_NGRAMS, WRITERS

FORMATS = list(WRITERS)


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


@pytest.fixture(scope="module")
def fasttext():
    return vectors.load(datapath("crime-and-punishment.bin"))


def assert_same(found, expected):
    assert found.index_to_key == expected.index_to_key
    assert found.key_to_index == expected.key_to_index
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(
        np.asarray(found.vectors).view(np.uint32), expected.vectors.view(np.uint32)
    )


def read_by_others(path, form):
    if form == "folder":
        words = (path / "words.txt").read_text("utf-8").split("\n")[:-1]
        return words, np.load(path / "vectors.npy", allow_pickle=False)
    if form == "safetensors":
        tensors = safetensors.numpy.load_file(path)
        return tensors["words"].tobytes().decode().split("\n"), tensors["vectors"]
    if form == "fasttext-binary":
        found = load_facebook_vectors(str(path))
    elif form == "gensim":
        found = KeyedVectors.load(str(path))
    else:
        found = KeyedVectors.load_word2vec_format(
            path, binary=form == "word2vec-binary", no_header=form == "glove"
        )
    return found.index_to_key, found.vectors


@pytest.mark.parametrize("form", FORMATS)
def test_others_read_what_is_written(glove, form, tmp_path):
    assert vectors.save(glove, tmp_path / "out", form) == form
    words, matrix = read_by_others(tmp_path / "out", form)
    assert words == glove.index_to_key
    np.testing.assert_array_equal(matrix, glove.vectors)


@pytest.mark.parametrize("first", FORMATS)
def test_every_format_into_every_other(glove, fasttext, first, tmp_path):
    for name, source in (("words", glove), ("n-grams", fasttext)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            vectors.save(source, tmp_path / name, first)
            for second in FORMATS:
                output = tmp_path / f"{name} {second}"
                report = vectors.convert(tmp_path / name, output, second, allow_pickle=True)
                assert (report["format"], report["words"]) == (second, len(source))
                found = vectors.load(output, allow_pickle=True)
                assert_same(found, source)
                kept = source is fasttext and {first, second} <= WITH_NGRAMS
                assert isinstance(found, FastTextKeyedVectors) == kept
                if kept:
                    np.testing.assert_array_equal(found["никогда"], source["никогда"])
                    counts = source.expandos["count"]
                    np.testing.assert_array_equal(found.expandos["count"], counts)


@pytest.mark.parametrize("form", FORMATS)
def test_part_of_a_file_of_every_format(fasttext, form, tmp_path, recwarn):
    path = tmp_path / "out"
    vectors.save(fasttext, path, form)
    first, second, third = fasttext.index_to_key[:3]
    found = vectors.load(path, limit=2, allow_pickle=True)
    assert found.index_to_key == [first, second]
    found = vectors.load(path, words=[third, "nowhere", first], allow_pickle=True)
    assert found.index_to_key == [first, third]
    np.testing.assert_array_equal(found[third], fasttext[third])
    assert vectors.load(path, width=5, allow_pickle=True).vector_size == 5
    with pytest.raises(common.FileFormatError, match="width 50 were expected, got width 5"):
        vectors.load(path, width=50, allow_pickle=True)
    with pytest.raises(common.BertEmbedError, match="None of the 1 `words` asked for is among"):
        vectors.load(path, words=["nowhere"], allow_pickle=True)


def test_the_format_is_told_by_the_content(glove, fasttext, tmp_path):
    for number, form in enumerate(FORMATS):
        vectors.save(glove, tmp_path / f"{number}.dat", form)
    names = [vectors.describe(tmp_path / f"{n}.dat", allow_pickle=True).format for n in range(8)]
    # fastText's .vec is word2vec's text.
    assert names == [form if form != "fasttext" else "word2vec" for form in FORMATS]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.txt", "glove"),
        ("a.txt.gz", "glove"),
        ("a.b.VEC", "fasttext"),
        ("a.300d.vec.gz", "fasttext"),
        ("a.safetensors", "safetensors"),
        ("a.kv", "gensim"),
        ("a", "folder"),
        ("a.bin", "word2vec-binary"),
    ],
)
def test_the_format_to_write_by_the_ending(glove, name, form, tmp_path):
    assert vectors.save(glove, tmp_path / name) == form
    with open(tmp_path / name if form != "folder" else tmp_path / name / "words.txt", "rb") as file:
        assert (file.read(2) == b"\x1f\x8b") == name.endswith(".gz")
    assert_same(vectors.load(tmp_path / name, allow_pickle=True), glove)


def test_a_bin_of_vectors_with_ngrams_is_fasttexts(fasttext, tmp_path):
    assert vectors.save(fasttext, tmp_path / "a.bin") == "fasttext-binary"


def test_text_is_gzipped_in_one_stream(glove, tmp_path):
    vectors.save(glove, tmp_path / "a.txt.gz")
    vectors.save(glove, tmp_path / "a.txt")
    assert (
        gzip.decompress((tmp_path / "a.txt.gz").read_bytes()) == (tmp_path / "a.txt").read_bytes()
    )


def test_floats_of_every_size_come_back_from_text(tmp_path):
    bits = np.random.default_rng(0).integers(0, 1 << 32, 6000, dtype=np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)][:5000].reshape(500, 10)
    values[0] = [0, -0.0, 1, -1, 1e-45, 3.4028235e38, 0.1, 1 / 3, 16777216, 1e-5]
    found = KeyedVectors(10)
    found.add_vectors([f"w{row}" for row in range(500)], values)
    vectors.save(found, tmp_path / "a.txt")
    assert_same(vectors.load(tmp_path / "a.txt"), found)


def test_lost_ngrams_are_told(fasttext, tmp_path):
    for form in set(FORMATS) - WITH_NGRAMS:
        with pytest.warns(UserWarning, match=f"'{form}' holds no n-grams") as caught:
            vectors.save(fasttext, tmp_path / form, form)
        assert caught[0].filename == __file__


def with_words(*words):
    found = KeyedVectors(2)
    found.add_vectors(list(words), np.ones((len(words), 2), np.float32))
    return found


TEXT = ("glove", "word2vec", "fasttext")


@pytest.mark.parametrize(
    ("word", "forms", "problem"),
    [
        ("new york", {"word2vec", "word2vec-binary", "fasttext", "fasttext-binary"}, "has ' ' in"),
        ("route 6.5", {"glove", "word2vec", "fasttext"}, "ends in a number|has ' ' in"),
        ("a\nb", set(FORMATS) - {"gensim"}, r"has '\\n' in it"),
        ("a\tb", {"word2vec", "fasttext"}, r"has '\\t' in it"),
        ("", {"glove", "word2vec", "word2vec-binary", "fasttext", "safetensors"}, "is empty"),
        ("a\x00", {"glove", "fasttext-binary"}, r"has '\\x00' in it"),
        ("a\r", {"folder"}, "ends in a carriage return"),
    ],
)
def test_words_that_a_format_cannot_hold(word, forms, problem, tmp_path):
    for form in forms:
        with pytest.raises(common.BertEmbedError, match=f"cannot hold word 2, .*{problem}"):
            vectors.save(with_words("a", word), tmp_path / "out", form)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["glove", "folder", "safetensors", "gensim"])
def test_words_with_spaces_where_they_can_stand(form, tmp_path):
    words = ["new york", "iphone 6 s", ". . .", "at name@example.org", "\xa0", "a\x85", "我 住"]
    vectors.save(with_words(*words), tmp_path / "out", form)
    assert vectors.load(tmp_path / "out", allow_pickle=True).index_to_key == words


def test_what_cannot_be_saved(glove, tmp_path):
    def fails(message, keyed_vectors, path="out", *arguments, error=common.BertEmbedError):
        with pytest.raises(error, match=message):
            vectors.save(keyed_vectors, tmp_path / path, *arguments)
        assert not (tmp_path / "out").exists()

    model = Word2Vec([["a", "b"]], vector_size=2, min_count=1)
    fails("`keyed_vectors` must be gensim KeyedVectors .*Received: gensim.*Word2Vec", model)
    fails("nothing to save: 0 words of width 5", KeyedVectors(5))
    fails("nothing to save: 1 words of width 0", vectors_of_width_0())
    fails("`format` must be one of 'glove'.*Received: 'csv'", glove, "out", "csv")
    fails("The ending of 'a.csv' tells no format", glove, "a.csv")
    fails("Only text is written gzipped, not 'folder'", glove, "a.gz", "folder")
    bad = with_words("a", "b")
    bad.vectors[1, 1] = np.nan
    fails("The vector of row 2, 'b', is not finite. Received: nan in column 2", bad, "out", "glove")
    numbered = KeyedVectors(2)
    numbered.add_vectors([7], np.ones((1, 2), np.float32))
    fails("words must be strings. Received: 7", numbered)


def vectors_of_width_0():
    found = KeyedVectors(0)
    found.index_to_key, found.key_to_index = ["a"], {"a": 0}
    found.vectors = np.zeros((1, 0), np.float32)
    return found


def test_what_stands_there_is_kept_unless_told(glove, tmp_path):
    vectors.save(glove, tmp_path / "out")
    with pytest.raises(common.OutputExistsError):
        vectors.save(glove, tmp_path / "out")
    with pytest.raises(common.OutputExistsError):
        vectors.convert("nowhere", tmp_path / "out")
    few = vectors.load(datapath("test_glove.txt"), limit=3)
    vectors.save(few, tmp_path / "out", overwrite=True)
    assert len(vectors.load(tmp_path / "out")) == 3
    for call in (
        lambda: vectors.save(glove, tmp_path / "out", "glove", overwrite=True),
        lambda: vectors.convert("nowhere", tmp_path / "out", "glove", overwrite=True),
    ):
        with pytest.raises(common.OutputExistsError, match="which a file does not replace"):
            call()
    assert len(vectors.load(tmp_path / "out")) == 3
    vectors.save(few, tmp_path / "file", "glove")
    vectors.save(few, tmp_path / "file", "folder", overwrite=True)
    assert_same(vectors.load(tmp_path / "file"), few)


def test_a_mapped_folder_is_converted_onto_itself(glove, tmp_path):
    vectors.save(glove, tmp_path / "same")
    vectors.convert(tmp_path / "same", tmp_path / "same", "folder", overwrite=True)
    assert_same(vectors.load(tmp_path / "same"), glove)
