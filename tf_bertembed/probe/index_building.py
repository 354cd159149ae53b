"""The index of a text file, made so that memory stays bounded for files of any size."""

import json
from pathlib import Path

import numpy as np

from tf_bertembed.common import FileFormatError, atomic_path, read_lines
from tf_bertembed.common.windows import WINDOW
from tf_bertembed.probe.nearest_rows import (
    build_graph,
    graph_recall,
    import_faiss,
    read_graph,
    unit_rows,
)

FORMAT = 1
DESCRIPTION, VECTORS, TEXTS, PLACES, GRAPH = (
    *("index.json", "vectors.npy", "texts.txt", "places.npy"),
    "graph.faiss",
)


def build_index(
    model, input_path, output, approximate=False, sequence_length=None, overwrite=False
):
    """Encode each line of a text file and keep the vectors as a folder to search.

    Lines are read and encoded some at a time, so that memory stays bounded
    for files of any size. Blank lines are passed over. The folder appears
    when it is complete.

    Args:
        model: string or `pathlib.Path`. As for `BertEmbedTransformer`; a RUN
            of a `tasks.SentenceEncoder` pools as it was trained.
        input_path: string or `pathlib.Path`. A UTF-8 file, a text a line,
            gzipped or not.
        output: string or `pathlib.Path`. The folder to make.
        approximate: bool. Whether to make a graph of neighbours besides, for
            approximate search; needs the package `faiss-cpu`.
        sequence_length: int. The most pieces of a text; `None` for what the
            model says.
        overwrite: bool. Whether to replace what stands at `output`.

    Returns:
        A dict of `texts`, `dimensions`, `model`, `source`, `output`, and where
        there is a graph `recall_at_10`: the share of the ten nearest lines
        that it finds, measured on 100 of the lines.

    Raises:
        MissingFileError: where the model or the file is missing.
        MissingPackageError: where `approximate` needs a package.
        FileFormatError: where the file is no text, or has only blank lines.
        OutputExistsError: where something stands at `output` already.

    Example:

    ```python
    import pathlib
    from tf_bertembed import models, probe, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert", tokenizer)
    pathlib.Path("texts.txt").write_text("A cat.\\n\\nA dog.\\n")
    report = probe.build_index("my-bert", "texts.txt", "pets")
    assert (report["texts"], report["dimensions"]) == (2, 8)
    ```
    """
    from tf_bertembed.probe.encoders import load_encoder
    from tf_bertembed.tasks.checkpoint_parts import EXISTS, check_spared

    if approximate:
        import_faiss()
    for source in (model, input_path):
        check_spared(source, output)
    with atomic_path(output, overwrite=overwrite, remedy=EXISTS) as place:
        place.mkdir()
        count = _copy_texts(input_path, place)
        encoder = load_encoder(model, sequence_length=sequence_length)
        matrix = None
        for first, texts in _windows(place, count):
            vectors = unit_rows(encoder.encode(texts))
            if matrix is None:
                matrix = np.lib.format.open_memmap(
                    place / VECTORS, "w+", "float32", (count, vectors.shape[1])
                )
            matrix[first : first + len(texts)] = vectors
        matrix.flush()
        known = Path(model)
        report = {
            "texts": count,
            "dimensions": matrix.shape[1],
            # A name stays a name; a path must lead to the model from anywhere.
            "model": str(known.resolve() if known.exists() else model),
            "sequence_length": sequence_length,
            "source": str(Path(input_path).resolve()),
        }
        if approximate:
            build_graph(matrix, place / GRAPH)
            graph = read_graph(place / GRAPH, *matrix.shape)
            report["recall_at_10"] = graph_recall(graph, matrix)
        content = json.dumps({"format": FORMAT, **report}, indent=2, ensure_ascii=False) + "\n"
        (place / DESCRIPTION).write_text(content, encoding="utf-8")
    return {**report, "output": str(output)}


def _copy_texts(input_path, place):
    """Copy the lines that hold text; keep where each begins, and its number in the source."""
    places, begin = [], 0
    with (place / TEXTS).open("wb") as file:
        for line, text in read_lines(input_path):
            if text.strip():
                places.append((begin, line))
                begin += file.write(text.encode() + b"\n")
    if not places:
        raise FileFormatError(input_path, "The file holds blank lines only; text was expected.")
    np.save(place / PLACES, np.array([*places, (begin, 0)], "int64"), allow_pickle=False)
    return len(places)


def _windows(place, count):
    window = []
    with (place / TEXTS).open("rb") as file:
        for row, line in enumerate(file):
            window.append(line[:-1].decode())
            if len(window) == WINDOW or row == count - 1:
                yield row + 1 - len(window), window
                window = []
