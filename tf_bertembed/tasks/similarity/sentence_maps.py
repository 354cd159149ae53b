"""Sentence encoders with a linear map after them, learned from texts alone."""

import functools

from tf_bertembed.models import TextEncoder
from tf_bertembed.tasks.similarity.embedding_maps import component_removal, whitening


class SentenceMaps:
    """The part of `SentenceEncoder` that makes post-processed encoders."""

    def whitened(self, texts, dimensions=None):
        """Make an encoder whose vectors are independent numbers of mean 0 and variance 1.

        A linear map learned from the vectors of the texts follows the pooling
        and what other map there was; lengths are set after it. It is a layer
        of the new encoder, so that it is saved, exported and served.

        Args:
            texts: sequence of N strings, more than `dimensions`; the kind of
                text that will be compared. No labels are needed.
            dimensions: int. How many numbers to keep, those of most variance
                first; `None` for all.

        Returns:
            A `SentenceEncoder` over the same backbone and preprocessor. One
            trained by "softmax" leaves its labels behind.

        Raises:
            BertEmbedError: where the texts vary in too few directions.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, *"abcdefgh"])
        encoder = tasks.SentenceEncoder(
            models.BertEmbedBackbone(13, 1, 2, 8, 16), text.Preprocessor(tokenizer, 16)
        )
        white = encoder.whitened(list("abcdefgh"), dimensions=2)
        vectors = white.encode(list("abcdefgh"))
        assert vectors.shape == (8, 2) and abs(vectors.var(axis=0) - 1).max() < 0.01
        ```

        References:
            Su et al., 2021, https://arxiv.org/abs/2103.15316
        """
        return self._mapped(*whitening(self._unscaled(texts), dimensions))

    def without_components(self, texts, count=1):
        """Make an encoder that leaves out the directions that all vectors share.

        With SIF pooling and one component this is smooth inverse frequency as
        published. A layer of the new encoder, as for `whitened`.

        Args:
            texts: sequence of strings, the kind of text that will be compared.
            count: int. How many directions to leave out.

        Returns:
            A `SentenceEncoder` over the same backbone and preprocessor. One
            trained by "softmax" leaves its labels behind.

        Raises:
            BertEmbedError: where `count` does not suit width and texts.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, *"abcdefgh"])
        encoder = tasks.SentenceEncoder(
            models.BertEmbedBackbone(13, 1, 2, 8, 16), text.Preprocessor(tokenizer, 16)
        )
        letters = list("abcdefgh")
        before = encoder.encode(letters).mean(axis=0)
        after = encoder.without_components(letters).encode(letters).mean(axis=0)
        assert after @ after < 0.1 * before @ before
        ```

        References:
            Arora et al., 2017, https://openreview.net/forum?id=SyK00v5xx
        """
        return self._mapped(*component_removal(self._unscaled(texts), count))

    def _unscaled(self, texts):
        self._require_preprocessor()
        pool = functools.partial(self._pool, scaled=False)
        encoder = TextEncoder(self.backbone, self.preprocessor, pool, output_dim=self.output_dim)
        return encoder.encode(texts)

    def _mapped(self, matrix, bias):
        if self.projection is not None:
            bias = self.projection.bias.numpy() @ matrix + bias
            matrix = self.projection.kernel.numpy() @ matrix
        config = self.get_config()
        changed = {"projection_dim": matrix.shape[1]}
        if self.objective == "softmax":
            changed.update(objective="cosine", labels=None)
        for name in ("backbone", "preprocessor", "name"):
            del config[name]
        mapped = type(self)(self.backbone, self.preprocessor, **{**config, **changed})
        mapped.pooling_layer.set_weights(self.pooling_layer.get_weights())
        mapped.projection.set_weights([matrix, bias])
        return mapped
