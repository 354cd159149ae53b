import json

import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

REAL = datapath("test_glove.txt")


def test_the_numbers_of_a_real_file():
    found = vectors.describe(REAL)
    matrix = np.loadtxt(REAL, usecols=range(1, 51), comments=None, encoding="utf-8")
    norms = np.linalg.norm(matrix, axis=1)
    assert (found.source, found.format, found.words, found.width) == (REAL, "glove", 76, 50)
    assert found.mean_norm == pytest.approx(norms.mean(), rel=1e-6)
    assert (found.min_norm, found.max_norm) == pytest.approx((norms.min(), norms.max()), rel=1e-6)
    assert (found.zero_rows, found.ngrams, found.coverage) == (0, None, None)
    assert found.first_words[:3] == ("the", "ö", "é")
    assert json.loads(json.dumps(found.to_dict()))["first_words"][0] == "the"


def test_ngrams_zero_rows_and_coverage(tmp_path):
    found = vectors.describe(datapath("lee_fasttext_new.bin"))
    assert found.ngrams == {"buckets": 1000, "shortest": 3, "longest": 6}
    assert "any word has a vector" in str(found)
    (tmp_path / "a.txt").write_text("a 0.0 0.0\nb 3.0 4.0\n")
    found = vectors.describe(tmp_path / "a.txt", vocabulary=["[PAD]", "b", "A"])
    assert (found.zero_rows, found.mean_norm) == (1, 2.5)
    assert found.to_dict()["coverage"]["methods"]["exact"]["count"] == 1
    assert "lengths: mean 2.5, from 0 to 5; 1 of them zero" in str(found)


def test_what_load_refuses(tmp_path):
    with pytest.raises(common.MissingFileError):
        vectors.describe(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("a 0.5 1.5\nb 0.5\n")
    with pytest.raises(common.FileFormatError, match="line 2"):
        vectors.describe(tmp_path / "a.txt")
    with pytest.warns(UserWarning, match="1 of 2 lines"):
        assert vectors.describe(tmp_path / "a.txt", skip_bad_lines=True).words == 1


def test_a_folder_that_was_changed(tmp_path):
    vectors.save(vectors.load(REAL), tmp_path / "glove")
    matrix = np.load(tmp_path / "glove" / "vectors.npy", mmap_mode="r+")
    matrix[3, 4] = np.nan
    matrix.flush()
    with pytest.raises(common.FileFormatError, match=r"row 4, 'हु', is not finite.*column 5\."):
        vectors.describe(tmp_path / "glove")
    with pytest.raises(common.FileFormatError, match="row 4, 'हु', is not finite"):
        vectors.convert(tmp_path / "glove", tmp_path / "glove.txt")
