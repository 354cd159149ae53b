import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import FastTextKeyedVectors, load_facebook_vectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors

REAL = Path(datapath("crime-and-punishment.bin"))


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "model.bin"
        path.write_bytes(content)
        return path

    return write


def fails_with(path, message, **arguments):
    with pytest.raises(common.FileFormatError) as error:
        vectors.load(path, **arguments)
    assert str(error.value) == f"{path}: {message}"


# `lee_fasttext.bin` is of the time before the format had a mark.
@pytest.mark.parametrize(
    "name", ["lee_fasttext.bin", "lee_fasttext_new.bin", "crime-and-punishment.bin"]
)
def test_real_models_read_as_gensim_reads_them(name):
    ours = vectors.load(datapath(name))
    theirs = load_facebook_vectors(datapath(name))
    assert isinstance(ours, FastTextKeyedVectors)
    assert ours.index_to_key == theirs.index_to_key
    assert ours.expandos["count"].tolist() == theirs.expandos["count"].tolist()
    for part in ("vectors", "vectors_vocab", "vectors_ngrams"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    for unseen in ("zebrafish", "Überraschung", "никогда-никогда"):
        assert unseen not in ours.key_to_index
        np.testing.assert_array_equal(ours[unseen], theirs[unseen])


def test_gzip(write):
    packed = vectors.load(write(gzip.compress(REAL.read_bytes())))
    np.testing.assert_array_equal(packed["новое"], vectors.load(REAL)["новое"])


def test_ngrams_stay_where_few_words_are_read():
    whole = vectors.load(REAL)
    word = whole.index_to_key[9]
    some = vectors.load(REAL, words=[word])
    assert some.index_to_key == [word]
    for asked in (word, whole.index_to_key[3] + "ийся"):
        np.testing.assert_array_equal(some[asked], whole[asked])


def test_words_that_are_not_utf8():
    path = datapath("cp852_fasttext.bin")
    fails_with(
        path,
        "The word of row 2 is not UTF-8. Received: 'kter�'. To go on without such words: "
        "`skip_bad_lines`.",
    )
    theirs = load_facebook_vectors(path, encoding="cp852")
    with pytest.warns(UserWarning, match=r"words were passed over\. The first: The word of row 2"):
        found = vectors.load(path, skip_bad_lines=True)
    assert found.index_to_key == [word for word in theirs.index_to_key if word.isascii()]
    for word in found.index_to_key:
        np.testing.assert_array_equal(found[word], theirs[word])


def test_a_classifier():
    # gensim does not read one. Real: fastText cut words within a letter.
    with pytest.warns(UserWarning, match="5 words were passed over"):
        found = vectors.load(datapath("pang_lee_polarity_fasttext.bin"), skip_bad_lines=True)
    assert not isinstance(found, FastTextKeyedVectors)
    assert not [word for word in found.index_to_key if word.startswith("__label__")]
    # As `get_word_vector` of fastText 0.9.2 gives them.
    for word, values in {
        "the": [0.0030674601439386606, 0.005688792560249567, 0.00787294376641512],
        "movie": [0.002252731239423156, -0.008356831967830658, 0.002216795925050974],
    }.items():
        np.testing.assert_array_equal(found[word][:3], np.float32(values))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.9])
def test_a_model_cut_short(write, share):
    content = REAL.read_bytes()
    # The output matrix, the last part, is not needed for vectors.
    needed = len(content) - 17 - 291 * 5 * 4
    with pytest.raises(common.FileFormatError, match=r"The file ends within .* cut off\."):
        vectors.load(write(content[: max(64, int(needed * share))]))
    with pytest.raises(common.FileFormatError, match="ends within its vectors"):
        vectors.load(write(content[: needed - 20]))
    assert len(vectors.load(write(content[:needed]))) == 291


def changed(offset, form, *values):
    content = bytearray(REAL.read_bytes())
    struct.pack_into(form, content, offset, *values)
    return bytes(content)


def test_counts_that_lie(write):
    fails_with(
        write(changed(64, "<3i", 291, 300, 0)),
        "291 entries of the dictionary cannot be 300 words and 0 labels. The file may be damaged.",
    )
    with pytest.raises(common.FileFormatError, match=r"The file ends within|not UTF-8"):
        vectors.load(write(changed(64, "<3i", 29100, 29100, 0)))
    fails_with(
        write(changed(8, "<i", 0)),
        "The vectors have width 0. A width of at least 1 was expected.",
    )
    fails_with(
        write(changed(8, "<i", 7)),
        "291 + 100 vectors of width 7 were expected, the file has 391 of width 5. It may be "
        "damaged.",
    )


def test_vectors_that_are_not_finite(write):
    content = REAL.read_bytes()
    shape = content.index(struct.pack("<2q", 391, 5)) + 16
    word = vectors.load(REAL).index_to_key[2]
    fails_with(
        write(changed(shape + 4 * (2 * 5 + 1), "<f", float("nan"))),
        f"The vector of row 3, {word!r}, is not finite. Received: nan in column 2.",
    )
    fails_with(
        write(changed(shape + 4 * 300 * 5, "<f", float("-inf"))),
        "The vector of row 10, 'n-grams in bucket 9', is not finite. Received: -inf in column 1.",
    )


def test_a_quantised_model(write):
    content = REAL.read_bytes()
    fails_with(
        write(changed(content.index(struct.pack("<2q", 391, 5)) - 1, "<B", 1)),
        "The vectors are quantised (.ftz), which loses too much to start from. Give the model's "
        ".bin.",
    )


def test_ngrams_of_a_length_below_0(write):
    content = bytearray(REAL.read_bytes())
    assert struct.unpack_from("<2i", content, 44) == (3, 6)
    struct.pack_into("<i", content, 44, -9)
    fails_with(
        write(bytes(content)),
        "N-grams from -9 to 6 characters cannot be. The file may be damaged.",
    )
