"""Mean word vectors as a scikit-learn transformer."""

import re

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.probe.text_transformer import TextTransformer

WORD = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")


class WordVectorTransformer(TextTransformer):
    """Turns texts into the mean or maximum of their word vectors.

    Words are runs of letters and digits, and single marks; each is looked up
    as written, then lower-cased. A text without any known word gives zeros.

    Args:
        path_or_name: string or `pathlib.Path`. A file of vectors or a name;
            see `vectors.load`.
        pooling: string. `"mean"` or `"max"`.
        limit: int. Use the first `limit` words of the file only; `None` for
            all.

    Attributes:
        n_features_out_: int. The width of the vectors.

    Raises:
        BertEmbedError: in `fit` or `transform`, where the vectors cannot be
            read, the pooling is neither, or an input is no text.

    Example:

    ```python
    import gensim, pathlib
    from tf_bertembed import probe

    data = pathlib.Path(gensim.__file__).parent / "test" / "test_data"
    features = probe.WordVectorTransformer(data / "test_glove.txt")
    assert features.fit_transform(["The time", "of people"]).shape == (2, 50)
    ```
    """

    def __init__(self, path_or_name, pooling="mean", limit=None):
        self.path_or_name = path_or_name
        self.pooling = pooling
        self.limit = limit

    def _vectors(self):
        from tf_bertembed import vectors

        settings = (str(self.path_or_name), self.limit)
        loaded = getattr(self, "_loaded", None)
        if loaded is None or loaded[0] != settings:
            self._loaded = loaded = (
                settings,
                vectors.load(self.path_or_name, limit=self.limit),
            )
        return loaded[1]

    def _features(self, texts):
        if self.pooling not in ("mean", "max"):
            raise BertEmbedError(f"`pooling` must be 'mean' or 'max'. Received: {self.pooling!r}.")
        table = self._vectors()
        index = table.key_to_index
        reduce = np.mean if self.pooling == "mean" else np.max
        features = np.zeros((len(texts), table.vector_size), "float32")
        for row, text in enumerate(texts):
            found = [index.get(word, index.get(word.lower())) for word in WORD.findall(text)]
            rows = [place for place in found if place is not None]
            if rows:
                features[row] = reduce(table.vectors[rows], axis=0)
        return features
