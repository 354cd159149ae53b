"""Word vectors written in any format, and converted from one to another."""

import importlib
from pathlib import Path

from gensim.models import KeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.files.formats import detect_format
from tf_bertembed.vectors.files.loading import load
from tf_bertembed.vectors.files.request import check_finite, warn
from tf_bertembed.vectors.files.text_writer import check_words
from tf_bertembed.vectors.keyed_vectors import has_ngrams

WRITERS = {
    "glove": ("text_writer", "write_glove"),
    "word2vec": ("text_writer", "write_word2vec"),
    "word2vec-binary": ("word2vec_binary", "write_word2vec_binary"),
    "fasttext": ("text_writer", "write_fasttext"),
    "fasttext-binary": ("fasttext_binary", "write_fasttext_binary"),
    "folder": ("own_folder", "write_folder"),
    "safetensors": ("safetensors_file", "write_safetensors"),
    "gensim": ("gensim_file", "write_gensim"),
}
ENDINGS = {
    ".txt": "glove",
    ".txt.gz": "glove",
    ".vec": "fasttext",
    ".vec.gz": "fasttext",
    ".safetensors": "safetensors",
    ".kv": "gensim",
    "": "folder",
}
WITH_NGRAMS = {"fasttext-binary", "folder", "safetensors", "gensim"}


def save(keyed_vectors, path, format=None, overwrite=False):
    """Write word vectors in any format that `vectors.load` reads.

    Text has the shortest decimals that give the same float32, so every format
    gives back the same numbers. How often words were seen (gensim's `count`)
    is kept in `"folder"`, `"safetensors"`, `"fasttext-binary"` and `"gensim"`;
    character n-grams too, and other formats warn that they are lost.

    Args:
        keyed_vectors: `gensim.models.KeyedVectors`. W words of width S.
        path: string or `pathlib.Path`. The file or folder to make.
        format: string. `"glove"` or `"word2vec"` for text without and with
            a first line of two counts; `"fasttext"` for its `.vec`;
            `"word2vec-binary"`; `"fasttext-binary"` for a `.bin` (which can be
            asked for vectors, not trained further); `"folder"`, which opens
            fastest; `"safetensors"`; `"gensim"` for its own, a pickle. Where it
            is `None`, by the ending of `path`: `.txt` and `.txt.gz` for GloVe,
            `.vec` and `.vec.gz`, `.bin` for fastText where there are n-grams
            and else word2vec, `.safetensors`, `.kv`, and none for a folder.
            Text is gzipped where the path ends in `.gz`.
        overwrite: bool. Whether to replace what stands at `path`.

    Returns:
        A string, the format.

    Raises:
        BertEmbedError: where an argument makes no sense, or the format cannot
            hold a word, for example one with a space in it.
        FileFormatError: where a vector is not finite.
        OutputExistsError: where something stands at `path` and `overwrite` is
            False.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    assert vectors.save(glove, "glove") == "folder"
    again = vectors.load("glove")
    assert again.index_to_key == glove.index_to_key
    assert (again.vectors == glove.vectors).all()
    ```
    """
    if not isinstance(keyed_vectors, KeyedVectors):
        raise common.BertEmbedError(
            "`keyed_vectors` must be gensim KeyedVectors (of a model, its `wv`). Received: "
            f"{type(keyed_vectors).__module__}.{type(keyed_vectors).__name__}."
        )
    path = Path(path)
    ngrams = has_ngrams(keyed_vectors)
    form = _format_of(path, format, ngrams)
    check_place(path, format, overwrite)
    words = keyed_vectors.index_to_key
    if not len(words) or not keyed_vectors.vector_size:
        raise common.BertEmbedError(
            f"There is nothing to save: {len(words)} words of width {keyed_vectors.vector_size}."
        )
    if not all(isinstance(word, str) for word in words):
        strange = next(word for word in words if not isinstance(word, str))
        raise common.BertEmbedError(f"The words must be strings. Received: {strange!r}.")
    check_words(words, path, form)
    check_finite(path, words, keyed_vectors.vectors)
    if ngrams and form not in WITH_NGRAMS:
        warn(
            f"{path}: the format {form!r} holds no n-grams: from it only the {len(words)} words "
            f"have a vector. These keep them: {', '.join(map(repr, sorted(WITH_NGRAMS)))}."
        )
    module, function = WRITERS[form]
    write = getattr(importlib.import_module(f"tf_bertembed.vectors.files.{module}"), function)
    with common.atomic_path(path, overwrite) as place:
        write(keyed_vectors, place)
    return form


def check_place(path, form, overwrite):
    """Raise where word vectors cannot be written: a file never replaces a folder.

    Args:
        path: `pathlib.Path`. The file or folder to make.
        form: string. The format; `None` for the one of the path's ending.
        overwrite: bool. Whether to replace what stands there.
    """
    if path.exists() and not overwrite:
        raise common.OutputExistsError(path)
    if path.is_dir() and _format_of(path, form, False) != "folder":
        raise common.OutputExistsError(
            path, "It is a folder, which a file does not replace; choose another place."
        )


def _format_of(path, form, ngrams):
    if form is not None:
        if form not in WRITERS:
            raise common.BertEmbedError(
                f"`format` must be one of {', '.join(map(repr, WRITERS))}. Received: {form!r}."
            )
        if path.suffix == ".gz" and form not in ("glove", "word2vec", "fasttext"):
            raise common.BertEmbedError(
                f"Only text is written gzipped, not {form!r}. Received: {path.name!r}."
            )
        return form
    endings = [s.lower() for s in path.suffixes]
    ending = "".join(endings[-2:] if endings[-1:] == [".gz"] else endings[-1:])
    if ending == ".bin":
        return "fasttext-binary" if ngrams else "word2vec-binary"
    if ending not in ENDINGS:
        raise common.BertEmbedError(
            f"The ending of {path.name!r} tells no format. Name one with `format` (on the command "
            f"line --format): {', '.join(map(repr, WRITERS))}."
        )
    return ENDINGS[ending]


def convert(
    source,
    output,
    format=None,
    *,
    limit=None,
    skip_bad_lines=False,
    allow_pickle=False,
    overwrite=False,
):
    """Turn word vectors of any format into another.

    Args:
        source: string or `pathlib.Path`. What `vectors.load` takes.
        output: string or `pathlib.Path`. The file or folder to make.
        format: string. As for `vectors.save`.
        limit: int. Only the first so many words; `None` for all.
        skip_bad_lines: bool. As for `vectors.load`.
        allow_pickle: bool. As for `vectors.load`.
        overwrite: bool. Whether to replace what stands at `output`.

    Returns:
        A dict with `source`, `source_format`, `output`, `format` (strings),
        `words` and `width` (ints) and `left_out`, a list of strings: what the
        format cannot hold (`"n-grams"`).

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where the source cannot be read.
        OutputExistsError: where something stands at `output` and `overwrite`
            is False.
        BertEmbedError: where an argument makes no sense, or the format cannot
            hold a word.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    report = vectors.convert(datapath("lee_fasttext_new.bin"), "lee.safetensors")
    assert report["source_format"] == "fasttext-binary" and report["left_out"] == []
    assert "never-seen" in vectors.load("lee.safetensors")
    ```
    """
    output = Path(output)
    # Before the source is read, which may take long.
    check_place(output, format, overwrite)
    source_format = detect_format(source)
    found = load(source, limit=limit, skip_bad_lines=skip_bad_lines, allow_pickle=allow_pickle)
    form = save(found, output, format, overwrite)
    lost = has_ngrams(found) and form not in WITH_NGRAMS
    return {
        "source": str(source),
        "source_format": source_format,
        "output": str(output),
        "format": form,
        "words": len(found),
        "width": int(found.vector_size),
        "left_out": ["n-grams"] if lost else [],
    }
