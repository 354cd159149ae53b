"""A corpus as lists of words, read from files as often as it is needed."""

import os
from pathlib import Path

from tf_bertembed import common
from tf_bertembed.vectors.training.segmenting import segmenter_named


class WordCorpus:
    """Text files as lists of words, a list a line, read anew each time.

    What the trainers of word vectors read. Nothing is kept in memory, so a
    corpus may be of any size. A line is a text by itself: windows of
    neighbours do not cross it.

    Args:
        paths: string or `pathlib.Path`, or several of them. UTF-8 text,
            gzipped or not.
        segmenter: string. How lines are cut into words. `"spaces"`: at white
            space. `"characters"`: every Chinese character and every sign is a
            word, and so is a run of other letters and digits. `"jieba"`:
            Chinese words, by the package jieba. `"MODULE:FUNCTION"`: a
            function of an installed module that takes a string and gives its
            words; it is run.
        lowercase: bool. Whether to lower-case the text first.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where a file is empty, a folder, binary or, while it
            is read, not UTF-8 (with the line).
        MissingPackageError: where jieba is asked for and not installed.
        BertEmbedError: where there is no file or no such segmenter.

    Example:

    ```python
    from tf_bertembed import vectors

    with open("corpus.txt", "w", encoding="utf-8") as file:
        file.write("The cat sat .\\n\\n我住 in Paris。\\n")
    corpus = vectors.WordCorpus("corpus.txt", segmenter="characters", lowercase=True)
    assert list(corpus) == [["the", "cat", "sat", "."], ["我", "住", "in", "paris", "。"]]
    ```
    """

    def __init__(self, paths, segmenter="spaces", lowercase=False):
        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        self.paths = [common.require_file(path) for path in map(Path, paths)]
        if not self.paths:
            raise common.BertEmbedError("A corpus needs at least one file. Received: none.")
        self.segmenter = segmenter
        self.lowercase = lowercase
        self._cut = segmenter_named(segmenter)

    def __iter__(self):
        for path in self.paths:
            for _, line in common.read_lines(path):
                words = self._cut(line.lower() if self.lowercase else line)
                if words:
                    yield words


def as_corpus(corpus):
    """Take what a trainer was given to read for something that can be read several times.

    Args:
        corpus: a path, a list of paths, or an iterable of lists of words.

    Returns:
        An iterable of lists of words.

    Raises:
        BertEmbedError: where it can be read only once, or holds no lists.
    """
    if isinstance(corpus, (str, os.PathLike)):
        return WordCorpus(corpus)
    if isinstance(corpus, (list, tuple)) and corpus:
        if all(isinstance(item, (str, os.PathLike)) for item in corpus):
            return WordCorpus(corpus)
        strange = next((item for item in corpus if not isinstance(item, (list, tuple))), None)
        if strange is not None:
            raise common.BertEmbedError(
                "`corpus` must be files, or hold lists of words. Cut texts into words first. "
                f"Received: {strange!r:.60}."
            )
    try:
        first = iter(corpus)
    except TypeError as error:
        raise common.BertEmbedError(
            f"`corpus` must be files, or lists of words. Received: {corpus!r:.60}."
        ) from error
    if first is corpus:
        raise common.BertEmbedError(
            "`corpus` is read several times; a generator can be read once. Pass a list, files, "
            f"or a `vectors.WordCorpus`. Received: {corpus!r:.60}."
        )
    return corpus
