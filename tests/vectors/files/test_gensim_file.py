import pickle
import shutil

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

TEXTS = [["the", "king", "of", "the", "north"], ["the", "queen", "of", "the", "south"]]


def test_a_pickle_is_read_only_where_it_is_allowed(tmp_path):
    shutil.copy(datapath("old_keyedvectors_320.dat"), tmp_path / "glove.txt")
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(tmp_path / "glove.txt")
    assert str(error.value) == (
        f"{tmp_path / 'glove.txt'}: This is a pickle, as gensim's `save` writes it, and reading a "
        "pickle can run any code. Where you trust its source, pass allow_pickle=True (on the "
        "command line --allow-pickle), best once, to convert it to another format."
    )
    assert len(vectors.load(tmp_path / "glove.txt", allow_pickle=True)) == 12


def test_nothing_runs_before_it_is_allowed(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path / "made").mkdir, ()

    (tmp_path / "a.kv").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(common.FileFormatError, match="This is a pickle"):
        vectors.load(tmp_path / "a.kv")
    with pytest.raises(common.FileFormatError, match="This is a pickle"):
        vectors.describe(tmp_path / "a.kv")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", [Word2Vec, FastText])
def test_models_and_their_vectors(kind, whole, apart, tmp_path):
    options = {"bucket": 50} if kind is FastText else {}
    model = kind(TEXTS, vector_size=4, min_count=1, workers=1, **options)
    saved = model if whole else model.wv
    saved.save(str(tmp_path / "a.model"), sep_limit=1 if apart else 1 << 20)
    found = vectors.load(tmp_path / "a.model", allow_pickle=True)
    assert isinstance(found, FastTextKeyedVectors) == (kind is FastText)
    assert found.index_to_key == model.wv.index_to_key
    assert found.expandos["count"].tolist() == model.wv.expandos["count"].tolist()
    np.testing.assert_array_equal(found.vectors, model.wv.vectors)
    if kind is FastText:
        np.testing.assert_array_equal(found["kingdom"], model.wv["kingdom"])


@pytest.mark.parametrize("name", ["word2vec_3.3", "word2vec_old", "old_keyedvectors_320.dat"])
def test_what_older_gensims_saved(name):
    found = vectors.load(datapath(name), allow_pickle=True)
    cls = KeyedVectors if "keyed" in name else Word2Vec
    theirs = cls.load(datapath(name))
    theirs = getattr(theirs, "wv", theirs)
    assert found.index_to_key == theirs.index_to_key
    np.testing.assert_array_equal(found.vectors, theirs.vectors)


def test_what_is_no_word_vectors(tmp_path):
    path = tmp_path / "a.kv"

    def fails(message):
        with pytest.raises(common.FileFormatError, match=message):
            vectors.load(path, allow_pickle=True)

    path.write_bytes(pickle.dumps({"a": 1}))
    fails("The pickle cannot be read|Received: builtins.dict")
    model = Word2Vec(TEXTS, vector_size=4, min_count=1)
    model.wv.save(str(path))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    fails(r"The pickle cannot be read\. ")
    model.wv.vectors[1, 2] = np.nan
    model.wv.save(str(path))
    fails("The vector of row 2, 'of', is not finite. Received: nan in column 3")
    model.wv.vectors = model.wv.vectors[:3]
    model.wv.save(str(path))
    fails(r"6 vectors were expected, one for each word\. Received: shape \(3, 4\)")


def test_arrays_that_stood_beside_it(tmp_path):
    model = Word2Vec(TEXTS, vector_size=4, min_count=1)
    model.wv.save(str(tmp_path / "a.kv"), sep_limit=1)
    (tmp_path / "a.kv.vectors.npy").unlink()
    with pytest.raises(common.FileFormatError, match=r"FileNotFoundError: .*a\.kv\.vectors\.npy"):
        vectors.load(tmp_path / "a.kv", allow_pickle=True)
