import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors

from tf_bertembed import common, vectors
from tf_bertembed.vectors.mixing.dictionaries import fit_turn

RNG = np.random.default_rng(0)


def keyed(words, matrix):
    found = KeyedVectors(matrix.shape[1])
    found.add_vectors(list(words), matrix.astype(np.float32))
    return found


def test_pairs_and_blank_lines(tmp_path):
    path = tmp_path / "en-de.tsv.gz"
    path.write_bytes(gzip.compress("dog\tHund\r\n\nNew York\tNew York\ndog\tRüde\n".encode()))
    pairs = [("dog", "Hund"), ("New York", "New York"), ("dog", "Rüde")]
    assert vectors.read_dictionary(path) == pairs


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "dog\tHund\ndog Hund\n",
            "en-de.tsv, line 2: A dictionary has a pair on each line: a",
        ),
        ("dog\tHund\tm\n", "line 1: A dictionary has a pair on each line: a word, a tab,"),
        ("dog\t \n", r"line 1: .* Received: 'dog\\t '\."),
        ("\n \n", "en-de.tsv: Blank lines only"),
        ("", "en-de.tsv: The file is empty. A dictionary has a pair"),
    ],
)
def test_a_broken_dictionary(content, message, tmp_path):
    path = tmp_path / "en-de.tsv"
    path.write_text(content)
    with pytest.raises(common.FileFormatError, match=message):
        vectors.read_dictionary(path)


@pytest.mark.parametrize(("wide", "wider"), [(4, 4), (4, 6), (6, 4)])
def test_a_turn_is_found_again(wide, wider):
    size = max(wide, wider)
    turn = np.linalg.qr(RNG.normal(size=(size, size)))[0][:wide, :wider]
    words = [f"w{i}" for i in range(40)]
    if wide <= wider:
        theirs = RNG.normal(size=(40, wide))
        ours = theirs @ turn
    else:
        ours = RNG.normal(size=(40, wider))
        theirs = ours @ turn.T
    source, target = keyed([w.upper() for w in words], theirs), keyed(words, ours * 3)
    found, used = fit_turn(source, target, [(w.upper(), w) for w in words[:20]] + [("X", "w1")])
    assert used == 20
    np.testing.assert_allclose(found, turn, atol=1e-5)


def test_case_falls_back_to_lower_case():
    both = keyed(["eins", "zwei"], np.eye(2))
    assert fit_turn(both, both, [("Eins", "EINS"), ("zwei", "zwei")])[1] == 2


def test_no_usable_pair():
    words = keyed(["eins", "zwei"], np.eye(2))
    with pytest.raises(common.BertEmbedError, match=r"None of the 1 pairs .* wide, 2, are needed"):
        fit_turn(words, words, [("one", "eins")])
    with pytest.raises(common.BertEmbedError, match=r"1 of the 2 pairs of the dictionary have"):
        fit_turn(words, words, [("one", "eins"), ("zwei", "eins")])
    with pytest.raises(common.BertEmbedError, match=r"Received: no pair"):
        fit_turn(words, words, [])
