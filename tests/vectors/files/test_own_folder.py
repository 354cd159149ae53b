import copy
import json
import pickle

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


@pytest.fixture
def folder(glove, tmp_path):
    vectors.save(glove, tmp_path / "glove")
    return tmp_path / "glove"


def fails_with(path, where, message, **arguments):
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path, **arguments)
    assert str(error.value) == f"{where}: {message}"


def test_the_words_are_made_when_they_are_asked_for(folder, glove):
    found = vectors.load(folder)
    assert isinstance(found, KeyedVectors)
    assert len(found) == 76
    assert not {"index_to_key", "key_to_index"} & set(vars(found))
    assert found.vectors.base is not None
    np.testing.assert_array_equal(found["of"], glove["of"])
    assert found.index_to_key == glove.index_to_key
    assert found.most_similar("the", topn=3) == glove.most_similar("the", topn=3)
    assert not hasattr(found, "no_such_thing")


def test_changes_stay_in_memory(folder, glove):
    found = vectors.load(folder)
    found.vectors[0] = 7
    found.add_vector("brand-new", np.ones(50, np.float32))
    assert (len(found), found.get_index("brand-new")) == (77, 76)
    np.testing.assert_array_equal(vectors.load(folder).vectors, glove.vectors)


def test_copies_are_gensims_own(folder, glove, tmp_path):
    found = vectors.load(folder)
    found.save(str(tmp_path / "saved.kv"))
    for copied in (
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),  # noqa: S301, its own
        KeyedVectors.load(str(tmp_path / "saved.kv")),
    ):
        assert type(copied) is KeyedVectors
        assert copied.key_to_index == glove.key_to_index
        np.testing.assert_array_equal(copied.vectors, glove.vectors)


def test_a_folder_made_by_hand(tmp_path):
    np.save(tmp_path / "vectors.npy", np.eye(3, 4))
    (tmp_path / "words.txt").write_bytes("the\r\nnew york\r\n我".encode())
    found = vectors.load(tmp_path)
    assert found.index_to_key == ["the", "new york", "我"]
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found["我"], [0, 0, 1, 0])


def test_a_folder_made_by_hand_may_repeat_words(tmp_path):
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "words.txt").write_text("a\nb\na\n")
    with pytest.warns(UserWarning, match="1 line repeats an earlier word"):
        found = vectors.load(tmp_path)
    assert found.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(found["a"], [1, 0, 0])


def test_a_folder_made_by_hand_is_looked_at(tmp_path):
    np.save(tmp_path / "vectors.npy", np.float32([[1, 2], [3, np.inf]]))
    (tmp_path / "words.txt").write_text("the\nof\n")
    fails_with(
        tmp_path,
        tmp_path / "vectors.npy",
        "The vector of row 2, 'of', is not finite. Received: inf in column 2.",
    )


def test_parts_that_are_missing(folder):
    needed = "A folder of word vectors holds vectors.npy and words.txt, a line for each row."
    (folder / "words.txt").rename(folder / "word.txt")
    fails_with(folder, folder, f"It holds no words.txt. {needed}")
    (folder / "vectors.npy").unlink()
    fails_with(folder, folder, f"It holds no vectors.npy. {needed}")


@pytest.mark.parametrize(("lines", "count"), [("a\nb", 2), ("a\n" * 77, 77)])
def test_another_number_of_words(folder, lines, count):
    (folder / "words.txt").write_text(lines)
    fails_with(
        folder,
        folder / "words.txt",
        f"76 lines were expected, one for each row of vectors.npy, got {count}.",
    )


def test_words_that_are_wrong(folder):
    (folder / "words.txt").write_bytes(b"a\n" * 75 + b"caf\xe9\n")
    found = vectors.load(folder)
    with pytest.raises(common.FileFormatError, match=r"words.txt, line 76: UTF-8 text was exp"):
        found["a"]
    (folder / "words.txt").write_text("a\nb\n" * 38)
    found = vectors.load(folder)
    with pytest.raises(common.FileFormatError) as error:
        found["a"]
    assert str(error.value) == (
        f"{folder / 'words.txt'}, line 3: The word 'a' stands in line 1 too."
    )
    (folder / "words.txt").write_text("")
    with pytest.raises(common.FileFormatError, match=r"words\.txt: The file is empty"):
        vectors.load(folder)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([["a"]], object), "The array holds Python objects, which is a pickle"),
        (np.zeros((76, 0), np.float32), "The vectors have width 0."),
        (np.zeros(76, np.float32), r"Received: shape \(76,\), float32."),
        (np.zeros((76, 2), int), r"Received: shape \(76, 2\), int64."),
    ],
)
def test_arrays_that_are_wrong(folder, array, message):
    np.save(folder / "vectors.npy", array)
    with pytest.raises(common.FileFormatError, match=f"vectors.npy: .*{message}"):
        vectors.load(folder)


def test_an_array_cut_short_or_none(folder):
    content = (folder / "vectors.npy").read_bytes()
    for wrong in (
        content[:-1],
        content[:100],
        content[:20],
        pickle.dumps([1]),
        b"PK\x03\x04",
        b"x",
    ):
        (folder / "vectors.npy").write_bytes(wrong)
        with pytest.raises(common.FileFormatError, match="npy: It is no NumPy array, or cut off"):
            vectors.load(folder)
    (folder / "vectors.npy").write_bytes(b"")
    with pytest.raises(common.FileFormatError, match="npy: The file is empty"):
        vectors.load(folder)


def test_ngrams_that_are_wrong(tmp_path):
    found = vectors.load(datapath("crime-and-punishment.bin"))
    vectors.save(found, tmp_path / "f")
    about = json.loads((tmp_path / "f" / "about.json").read_text())
    assert about["ngrams"] == {"shortest": 3, "longest": 6, "buckets": 100}
    (tmp_path / "f" / "about.json").write_text(json.dumps({**about, "ngrams": {"buckets": 7}}))
    with pytest.raises(common.FileFormatError, match=r"about\.json: `ngrams` must hold the ints"):
        vectors.load(tmp_path / "f")
    about["ngrams"]["buckets"] = 7
    (tmp_path / "f" / "about.json").write_text(json.dumps(about))
    with pytest.raises(common.FileFormatError, match=r"npy: Numbers of shape \(7, 5\) were exp"):
        vectors.load(tmp_path / "f")
    (tmp_path / "f" / "ngrams.npy").unlink()
    with pytest.raises(common.MissingFileError, match=r"ngrams\.npy does not exist"):
        vectors.load(tmp_path / "f")


@pytest.mark.parametrize("lengths", [(-3, 6), (3, -6)])
def test_ngrams_shorter_than_nothing(tmp_path, lengths):
    vectors.save(vectors.load(datapath("crime-and-punishment.bin")), tmp_path / "f")
    about = json.loads((tmp_path / "f" / "about.json").read_text())
    about["ngrams"]["shortest"], about["ngrams"]["longest"] = lengths
    (tmp_path / "f" / "about.json").write_text(json.dumps(about))
    with pytest.raises(common.FileFormatError, match=r"about\.json: N-grams from .* cannot be"):
        vectors.load(tmp_path / "f")


def test_an_archive_in_the_place_of_an_array(tmp_path):
    vectors.save(vectors.load(datapath("crime-and-punishment.bin")), tmp_path / "f")
    np.savez(tmp_path / "f" / "word_parts.npy", a=np.zeros(1))
    (tmp_path / "f" / "word_parts.npy.npz").replace(tmp_path / "f" / "word_parts.npy")
    with pytest.raises(common.FileFormatError, match=r"parts\.npy: .*Received: None, NpzFile"):
        vectors.load(tmp_path / "f")
