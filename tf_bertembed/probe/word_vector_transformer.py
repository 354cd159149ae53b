"""Mean word vectors as a scikit-learn transformer."""

import functools

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.probe.text_transformer import TextTransformer

CHUNK = 1024


@functools.cache
def _tokenizer():
    from tf_bertembed import text

    # With no piece that continues a word, every word stays whole.
    return text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a"], lowercase=False)


def split_words(texts):
    """Cut texts into words as `Preprocessor` does for `static_ids`: by the same tokenizer."""
    for begin in range(0, len(texts), CHUNK):
        chunk = texts[begin : begin + CHUNK]
        _, starts, ends = _tokenizer().tokenize_with_offsets(chunk)
        for text, first, last in zip(chunk, starts.to_list(), ends.to_list(), strict=True):
            encoded = text.encode("utf-8")
            yield [encoded[i:j].decode("utf-8") for i, j in zip(first, last, strict=True)]


class WordVectorTransformer(TextTransformer):
    """Turns texts into the mean or maximum of their word vectors.

    Words are what BERT's tokenizer makes of a text before it cuts them into
    pieces, so the words of `static_ids`: it splits at white space, and takes
    every punctuation mark and every Chinese character alone (`company's` is
    three words). Each is looked up as written, then lower-cased. A text
    without any known word gives zeros.

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

    def _width(self):
        self._check_settings()
        return self._vectors().vector_size

    def _check_settings(self):
        if self.pooling not in ("mean", "max"):
            raise BertEmbedError(f"`pooling` must be 'mean' or 'max'. Received: {self.pooling!r}.")

    def _features(self, texts):
        self._check_settings()
        table = self._vectors()
        index = table.key_to_index
        reduce = np.mean if self.pooling == "mean" else np.max
        features = np.zeros((len(texts), table.vector_size), "float32")
        for row, words in enumerate(split_words(texts)):
            found = [index.get(word, index.get(word.lower())) for word in words]
            rows = [place for place in found if place is not None]
            if rows:
                features[row] = reduce(table.vectors[rows], axis=0)
        return features
