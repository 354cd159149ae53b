"""Mean word vectors as a scikit-learn transformer."""

import functools
import hashlib

import numpy as np

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.common.windows import WINDOW
from tf_bertembed.probe.text_transformer import TextTransformer
from tf_bertembed.probe.word_weights import check_weighting, learn_weights
from tf_bertembed.tasks.similarity.embedding_maps import component_removal

CHUNK = 1024


@functools.cache
def _tokenizer():
    from tf_bertembed import text

    # With no piece that continues a word, every word stays whole.
    return text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a"], lowercase=False)


def _digest(table):
    """What words and vectors are known by, wherever their file lies and in whatever order."""
    words = sorted(table.key_to_index)
    number = hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass"))
    for begin in range(0, len(words), WINDOW):
        rows = [table.key_to_index[word] for word in words[begin : begin + WINDOW]]
        number.update(np.ascontiguousarray(table.vectors[rows], "<f4"))
    return number.hexdigest()


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
    three words). Each is looked up as written, then lower-cased. Words
    without a vector are passed over; a text without any other gives zeros.

    Args:
        path_or_name: string or `pathlib.Path`. A file of vectors or a name;
            see `vectors.load`.
        pooling: string. `"mean"` or `"max"`.
        limit: int. Use the first `limit` words of the file only; `None` for
            all.
        weighting: string. How much a word counts in the mean, learned in
            `fit`. `"tfidf"`: the mean is weighted by 1 + ln((1 + N) / (1 + n))
            for a word in n of the N texts of `fit`, as scikit-learn does it.
            `"sif"`: each vector is multiplied by a / (a + p), where p is the
            share of the word among all words of `fit`, and the sum is divided
            by the number of words. `None`: all words count alike.
        components_removed: int. How many directions that the features of the
            texts of `fit` share most are taken away from all features; 1
            after `"sif"` is smooth inverse frequency as published.
        sif_a: float. The a of `"sif"`; 1e-3 to 1e-4 is usual.

    Attributes:
        n_features_out_: int. The width of the vectors.
        vectors_digest_: string. What words and vectors are known by,
            wherever their file lies and in whatever order.
        word_weights_: dict of floats. The weights of the words of `fit`.
        unseen_weight_: float. The weight of any other word.
        removal_: float32 array `[D, D]`, which features are multiplied by;
            `None` where no component is removed.

    Raises:
        BertEmbedError: in `fit` or `transform`, where the vectors cannot be
            read, a setting is none of the above, or an input is no text; in
            `transform`, where the vectors are not those of `fit`.

    Example:

    ```python
    import gensim, pathlib
    from tf_bertembed import probe

    data = pathlib.Path(gensim.__file__).parent / "test" / "test_data"
    features = probe.WordVectorTransformer(data / "test_glove.txt", weighting="tfidf")
    assert features.fit_transform(["The time", "of people"]).shape == (2, 50)
    ```

    References:
        Arora et al., 2017, https://openreview.net/forum?id=SyK00v5xx
    """

    def __init__(
        self,
        path_or_name,
        pooling="mean",
        limit=None,
        weighting=None,
        components_removed=0,
        sif_a=1e-3,
    ):
        self.path_or_name = path_or_name
        self.pooling = pooling
        self.limit = limit
        self.weighting = weighting
        self.components_removed = components_removed
        self.sif_a = sif_a

    def _vectors(self):
        from tf_bertembed import vectors

        settings = (str(self.path_or_name), self.limit)
        loaded = getattr(self, "_loaded", None)
        if loaded is None or loaded[0] != settings:
            table = vectors.load(self.path_or_name, limit=self.limit)
            self._loaded = loaded = settings, table, _digest(table)
        return loaded[1]

    def _width(self):
        return self._vectors().vector_size

    def _learn(self, texts):
        self._check_settings()
        self._vectors()
        self.vectors_digest_ = self._loaded[2]
        found = list(self._found(texts))
        self.word_weights_, self.unseen_weight_ = learn_weights(self.weighting, found, self.sif_a)
        self.word_weights_.pop(None, None)
        self.removal_ = None
        if self.components_removed:
            if self.components_removed >= min(len(found), self._width()):
                raise BertEmbedError(
                    f"`components_removed` must be less than the width {self._width()} and the "
                    f"{len(found)} texts of `fit`. Received: {self.components_removed}."
                )
            features = self._pooled(found)
            self.removal_, _ = component_removal(features, self.components_removed)

    def _features(self, texts):
        self._check_settings()
        self._vectors()
        if self._loaded[2] != self.vectors_digest_:
            raise BertEmbedError(
                f"{self.path_or_name} holds other vectors than in `fit`. Fit again, or give the "
                "path of the vectors that it was."
            )
        features = self._pooled(self._found(texts), len(texts))
        if self.removal_ is None:
            return features
        # In single precision the other rows of a product would show in each.
        return (features.astype("float64") @ self.removal_).astype("float32")

    def _found(self, texts):
        """The words of each text as the table has them; `None` for one without a vector."""
        index = self._vectors().key_to_index
        for words in split_words(texts):
            forms = ((word, word.lower()) for word in words)
            yield [next((form for form in pair if form in index), None) for pair in forms]

    def _pooled(self, found, count=None):
        table = self._vectors()
        features = np.zeros((len(found) if count is None else count, table.vector_size), "float32")
        for row, words in enumerate(found):
            known = [word for word in words if word is not None]
            if not known:
                continue
            vectors = table.vectors[[table.key_to_index[word] for word in known]]
            if self.pooling == "max":
                features[row] = vectors.max(axis=0)
            elif self.weighting is None:
                features[row] = vectors.mean(axis=0)
            else:
                weights = [self.word_weights_.get(word, self.unseen_weight_) for word in known]
                whole = len(known) if self.weighting == "sif" else sum(weights)
                features[row] = np.array(weights) / whole @ vectors
        return features

    def _check_settings(self):
        if self.pooling not in ("mean", "max"):
            raise BertEmbedError(f"`pooling` must be 'mean' or 'max'. Received: {self.pooling!r}.")
        check_weighting(self.weighting, self.sif_a)
        if self.weighting is not None and self.pooling == "max":
            raise BertEmbedError(
                "`weighting` is for the mean; a maximum has no use for weights. Received: "
                f"weighting={self.weighting!r}, pooling='max'."
            )
        check_at_least(0, components_removed=self.components_removed)
