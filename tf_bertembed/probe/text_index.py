"""A text file made searchable by meaning: its lines, their vectors, and the model's name."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    check_at_least,
    read_json,
    require_file,
)
from tf_bertembed.probe.index_building import (
    DESCRIPTION,
    FORMAT,
    GRAPH,
    PLACES,
    TEXTS,
    VECTORS,
    build_index,
)
from tf_bertembed.probe.nearest_rows import (
    exact_neighbours,
    graph_neighbours,
    import_faiss,
    read_graph,
    unit_rows,
)
from tf_bertembed.text.checks import check_texts

# Two encodings of a text differ by rounding, or by the precision of half as many bits.
SAME = 0.02


class TextIndex:
    """The vectors of a text file, searched by meaning.

    Vectors are read from disk as they are needed, a block at a time.

    Args:
        folder: string or `pathlib.Path`. What `build_index` made.
        model: string or `pathlib.Path`. The model to encode queries by; `None`
            for the one that the index was made by.

    Attributes:
        description: dict. What `build_index` reported.

    Raises:
        MissingFileError: where there is no index.
        FileFormatError: where a file of it is broken.

    Example:

    ```python
    import pathlib
    from tf_bertembed import probe

    pathlib.Path("texts.txt").write_text("Shares fell.\\nThe cup final was lost.\\n")
    probe.build_index("all-minilm-l6-v2", "texts.txt", "news")
    index = probe.TextIndex("news")
    (found,) = index.search(["stock market"], top=1)
    assert (found[0]["text"], found[0]["line"]) == ("Shares fell.", 1)
    ```
    """

    def __init__(self, folder, model=None):
        self.folder = Path(folder)
        path = self.folder / DESCRIPTION
        self.description = read_json(path, "An index is a folder that `search --output` made.")
        if self.description.get("format") != FORMAT:
            raise FileFormatError(
                path,
                f"An index of format {FORMAT} was expected. Received: "
                f"{self.description.get('format')!r}.",
            )
        known = self.description.get("model")
        if not isinstance(known, str):
            raise FileFormatError(path, f"The name of a `model` was expected. Received: {known!r}.")
        self.model = str(model or known)
        self._vectors = _load(self.folder / VECTORS, "float32")
        self._places = _load(self.folder / PLACES, "int64")
        self._texts = require_file(self.folder / TEXTS)
        rows = len(self._vectors)
        if self._places.shape != (rows + 1, 2) or self._places[-1, 0] != self._texts.stat().st_size:
            raise FileFormatError(
                self.folder, f"{TEXTS}, {PLACES} and {VECTORS} are not of one index. Make it again."
            )
        self._encoder = self._graph = None

    def __len__(self):
        return len(self._vectors)

    def search(self, queries, top=10, approximate=False):
        """Find the texts that are nearest to queries in meaning, by cosine.

        Args:
            queries: sequence of Q strings.
            top: int. How many texts to find for each.
            approximate: bool. Whether to go by the graph of neighbours, which
                is faster among very many texts, and may miss some.

        Returns:
            A list of Q lists of dicts, best first: `text`, `score` (the
            cosine) and `line` (in the source file, counted from 1). Of equal
            scores the earlier line stands first.

        Raises:
            MissingPackageError: where `approximate` needs a package.
            BertEmbedError: where a query is blank, `top` is less than 1, the
                index has no graph, or the model is not the one that made it.

        Example:

        ```python
        import pathlib
        from tf_bertembed import models, probe, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
        backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
        models.save_huggingface(backbone, "my-bert", tokenizer)
        pathlib.Path("texts.txt").write_text("A cat.\\nA dog.\\n")
        probe.build_index("my-bert", "texts.txt", "pets")
        (found,) = probe.TextIndex("pets").search(["a dog."])
        assert [one["line"] for one in found] == [2, 1] and found[0]["score"] > 0.999
        ```
        """
        queries = check_texts(queries)
        for query in queries:
            if not query.strip():
                raise BertEmbedError(f"A query must hold text. Received: {query!r}.")
        check_at_least(1, top=top)
        if not queries:
            return []
        if approximate and self._graph is None:
            self._graph = self._load_graph()
        vectors = unit_rows(self._load_encoder().encode(queries))
        if approximate:
            scores, rows = graph_neighbours(self._graph, self._vectors, vectors, top)
        else:
            scores, rows = exact_neighbours(self._vectors, vectors, top)
        with self._texts.open("rb") as file:
            return [
                [self._found(file, row, score) for row, score in zip(*one, strict=True)]
                for one in zip(rows, scores, strict=True)
            ]

    def _found(self, file, row, score):
        begin, line = self._places[row]
        file.seek(begin)
        text = file.read(self._places[row + 1, 0] - begin - 1).decode()
        return {"text": text, "score": float(score), "line": int(line)}

    def _load_graph(self):
        import_faiss()
        if not (self.folder / GRAPH).exists():
            raise BertEmbedError(
                f"{self.folder} has no graph for approximate search. Make it again with "
                "`approximate=True` (--approximate), or search exactly."
            )
        return read_graph(self.folder / GRAPH, *self._vectors.shape)

    def _load_encoder(self):
        from tf_bertembed.probe.encoders import load_encoder

        if self._encoder is None:
            length = self.description.get("sequence_length")
            encoder = load_encoder(self.model, sequence_length=length)
            with self._texts.open("rb") as file:
                (known,) = unit_rows(encoder.encode([file.readline()[:-1].decode()]))
            made = f"{self.folder} was made by {self.description.get('model')}"
            width = self._vectors.shape[1]
            if len(known) != width:
                raise BertEmbedError(
                    f"{made}, whose vectors have {width} numbers; those of {self.model} have "
                    f"{len(known)}. Make the index again with this model."
                )
            if np.abs(known - self._vectors[0]).max() > SAME:
                raise BertEmbedError(
                    f"{made}; {self.model} gives its first text another vector. Make the index "
                    "again with this model."
                )
            self._encoder = encoder
        return self._encoder


def _load(path, dtype):
    require_file(path, "An index keeps its numbers there.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise FileFormatError(path, f"The array is broken: {error}.") from error
    if array.ndim != 2 or array.dtype != dtype or not array.size:
        raise FileFormatError(
            path, f"A matrix of {dtype} was expected. Received: {array.dtype} of {array.shape}."
        )
    return array


@contextlib.contextmanager
def open_index(path, model=None, sequence_length=None):
    """Open an index, or make one of a text file that is gone afterwards.

    Args:
        path: string or `pathlib.Path`. A folder that `build_index` made, or a
            text file.
        model: string or `pathlib.Path`. As for `TextIndex`; a file needs one.
        sequence_length: int. For a file: as for `build_index`.

    Yields:
        A `TextIndex`.

    Raises:
        MissingFileError: where nothing stands at the path.
        BertEmbedError: where a file is given without a model, or a length for
            an index, which has its own.

    Example:

    ```python
    import pathlib
    from tf_bertembed import probe

    pathlib.Path("texts.txt").write_text("Shares fell.\\nThe cup final was lost.\\n")
    with probe.open_index("texts.txt", "all-minilm-l6-v2") as index:
        ((best,),) = index.search(["football"], top=1)
    assert best["line"] == 2
    ```
    """
    path = Path(path)
    if path.is_dir():
        if sequence_length is not None:
            raise BertEmbedError(
                "`sequence_length` was set when the index was made. Received: "
                f"{sequence_length} for {path}."
            )
        yield TextIndex(path, model)
        return
    require_file(path, "An index folder or a text file was expected.")
    if model is None:
        raise BertEmbedError(f"{path} is searched by a `model`. Received: None.")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "index"
        build_index(model, path, kept, sequence_length=sequence_length)
        yield TextIndex(kept)
