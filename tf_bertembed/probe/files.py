"""The vectors of a file of texts, in a file."""

from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError, atomic_path, read_lines


def embed_file(
    path,
    input_path,
    output,
    pooling=None,
    normalize=None,
    sequence_length=None,
    batch_size=None,
    max_pieces=None,
    streams=None,
    overwrite=False,
):
    """Encode each line of a text file and write the vectors as `.npy`.

    Args:
        path: string or `pathlib.Path`. The model, as for
            `BertEmbedTransformer`.
        input_path: string or `pathlib.Path`. A UTF-8 file, a text a line,
            gzipped or not. An empty line is an empty text.
        output: string or `pathlib.Path`. A file `.npy`: an array `[N, D]`,
            float32, a row a line.
        pooling: string. As for `BertEmbedTransformer`.
        normalize: bool. As for `BertEmbedTransformer`.
        sequence_length: int. As for `BertEmbedTransformer`.
        batch_size: int. As for `BertEmbedTransformer`.
        max_pieces: int. As for `BertEmbedTransformer`.
        streams: int. The batches that run at a time; `None` for two.
        overwrite: bool. Whether to replace what stands at `output`.

    Returns:
        A dict of `texts` (int), `dimensions` (int) and `output` (string).

    Raises:
        MissingFileError: where the model or the file is missing.
        FileFormatError: where the file is no text.
        OutputExistsError: where something stands at `output` already.
        BertEmbedError: where a setting does not suit the model.

    Example:

    ```python
    import pathlib
    import numpy as np
    from tf_bertembed import models, probe, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert", tokenizer)
    pathlib.Path("texts.txt").write_text("A cat.\\nA dog.\\n")
    probe.embed_file("my-bert", "texts.txt", "vectors.npy")
    assert np.load("vectors.npy").shape == (2, 8)
    ```
    """
    from tf_bertembed.probe.encoders import load_encoder

    output = Path(output)
    if output.suffix != ".npy":
        raise BertEmbedError(f"The output must end in .npy. Received: {output}.")
    if output.is_dir():
        raise BertEmbedError(f"The output is a file, and a folder stands there: {output}.")
    with atomic_path(output, overwrite=overwrite) as place:
        texts = [line for _, line in read_lines(input_path)]
        if not texts:
            raise FileFormatError(input_path, "The file holds no line.")
        encoder = load_encoder(path, pooling, normalize, sequence_length)
        vectors = encoder.encode(texts, batch_size, max_pieces, streams)
        with place.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
    return {"texts": len(texts), "dimensions": vectors.shape[1], "output": str(output)}
