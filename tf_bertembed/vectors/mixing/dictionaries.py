"""Pairs of words of two languages, and the turn that they teach."""

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.mapping import fit_map
from tf_bertembed.vectors.mixing.sparse_weights import at_length_one

FORMAT = "A dictionary has a pair on each line: a word, a tab, and the word of the other language."


def read_dictionary(path):
    """Read pairs of words of two languages.

    Args:
        path: string or `pathlib.Path`. UTF-8 text, gzipped or not: on each
            line a word, a tab, and its translation. Blank lines are passed
            over, and a word may come several times.

    Returns:
        A list of pairs of strings.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8, has a
            line that is no pair (with the line), or no pair at all.

    Example:

    ```python
    from tf_bertembed import vectors

    with open("en-de.tsv", "w", encoding="utf-8") as file:
        file.write("dog\\tHund\\nmen\\tMänner\\n")
    assert vectors.read_dictionary("en-de.tsv") == [("dog", "Hund"), ("men", "Männer")]
    ```
    """
    common.require_file(path, FORMAT)
    pairs = []
    for number, line in common.read_lines(path):
        if not line.strip():
            continue
        pair = tuple(word.strip() for word in line.split("\t"))
        if len(pair) != 2 or not all(pair):
            raise common.FileFormatError(path, f"{FORMAT} Received: {line!r:.80}.", number)
        pairs.append(pair)
    if not pairs:
        raise common.FileFormatError(path, f"Blank lines only. {FORMAT}")
    return pairs


def fit_turn(source, target, pairs):
    """Learn to turn the vectors of one language into the space of another's.

    The turn is the orthogonal map that brings the words of the pairs, at
    length 1, nearest to their translations.

    Args:
        source: `gensim.models.KeyedVectors`. Vectors of the one language,
            width S.
        target: `gensim.models.KeyedVectors`. Vectors of the other, width R.
        pairs: list of pairs of strings, a word of `source` and one of
            `target`. Those of which a word has no vector, as written or
            lower-cased, are left out.

    Returns:
        A pair: a float32 array `[S, R]`, and the number of pairs used.

    Raises:
        BertEmbedError: where fewer pairs than the vectors are wide have
            vectors on both sides.

    Example:

    ```python
    from gensim.models import KeyedVectors
    import numpy as np
    from tf_bertembed.vectors.mixing.dictionaries import fit_turn

    english, german = KeyedVectors(2), KeyedVectors(2)
    english.add_vectors(["dog", "cat"], np.array([[1.0, 0], [0, 1]]))
    german.add_vectors(["Hund", "Katze"], np.array([[0.0, 1], [-1, 0]]))
    turn, used = fit_turn(german, english, [("Hund", "dog"), ("Katze", "cat")])
    assert used == 2 and np.allclose(german["Hund"] @ turn, [1, 0], atol=1e-6)
    ```

    References:
        - [Minixhofer et al., 2022](https://arxiv.org/abs/2112.06598), WECHSEL.
    """
    found = []
    for left, right in pairs:
        known = _row(source, left), _row(target, right)
        if None not in known:
            found.append(known)
    wide = max(source.vector_size, target.vector_size)
    if len(found) < wide:
        raise common.BertEmbedError(
            f"{len(found) or 'None'} of the {len(pairs)} pairs of the dictionary have vectors on "
            f"both sides; as many as the vectors are wide, {wide}, are needed. Is each column of "
            f"the language of its vectors? Received: {pairs[0] if pairs else 'no pair'}, ..."
        )
    sources, targets = np.array(found).T
    source, target = at_length_one(source.vectors[sources]), at_length_one(target.vectors[targets])
    if source.shape[1] <= target.shape[1]:
        return fit_map(source, target, orthogonal=True), len(found)
    # The best turn to fewer dimensions is the best one back, transposed.
    return fit_map(target, source, orthogonal=True).T, len(found)


def _row(keyed_vectors, word):
    rows = keyed_vectors.key_to_index
    return rows.get(word, rows.get(word.lower()))
