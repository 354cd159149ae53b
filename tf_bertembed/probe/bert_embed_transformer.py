"""A BERT as a scikit-learn transformer."""

from tf_bertembed.common import BertEmbedError, check_limits
from tf_bertembed.probe.text_transformer import TextTransformer


class BertEmbedTransformer(TextTransformer):
    """Turns texts into vectors with a BERT, for scikit-learn pipelines.

    Nothing is loaded before `fit` or `transform`. A pickle holds the path and
    the settings; the weights are read again where it is opened. Word vectors
    that were fused into a model are in its features, from its own table. Give
    a `cache` where features are asked for again and again, as in a search
    over settings. What was fitted with one model takes no other: where the
    files at the path have changed since, or a newer version was exported
    there, `transform` says so.

    Args:
        path: string or `pathlib.Path`. An exported model (`NAME`, of which
            the highest version is taken, or `NAME/VERSION`), a RUN, a
            Hugging Face BERT folder, a folder that `save_to_preset` wrote, or the name
            `"all-minilm-l6-v2"`.
        pooling: string. `"mean"`, `"max"` or `"cls"` over the pieces of a
            text; `None` for what a sentence-transformers folder or a
            `tasks.SentenceEncoder` says, and for `"mean"` elsewhere. An
            exported model has its own.
        sequence_length: int. The most pieces of a text that are read; `None`
            for what the folder says, at most 256 where it says nothing.
        batch_size: int. The most texts in a batch; texts of like length
            share one. `None` for as many as `max_pieces` lets in.
        normalize: bool. Whether vectors are brought to length 1; `None` for
            what a sentence-transformers folder says, and for no elsewhere.
        max_pieces: int. The most pieces in a batch once padded, which bounds
            memory; a longer text makes a batch alone. An exported model's
            tokenizer cannot be asked: 4 bytes count as a piece there. `None`
            for 1024.
        layers: int or list of ints. Whose hidden states are pooled: 0 for the
            embeddings, i for layer i, -1 for the last one; of several the
            mean. States are the encoder's own, before any `output_fusion`.
            `None` for what the model answers, word vectors included.
        layer_weights: list of floats, one for each of `layers`, for a
            weighted mean; `None` for equal weights.
        cache: string or `pathlib.Path`. A folder on a local disk where
            vectors are kept by the content of the model's files, these
            settings and the text. What stands there is not computed again,
            by whichever process; where all does, the model is not loaded.
            `None` for no cache.
        progress: bool. Whether to show a bar on stderr, where that is a
            terminal.

    Attributes:
        n_features_out_: int. The width of the vectors.
        model_digest_: string. What the content of the model's files is known
            by, wherever they lie.

    Raises:
        BertEmbedError: in `fit` or `transform`, where the path holds no model
            or an input is no text; in `transform`, where it holds another
            model than in `fit`.

    Example:

    ```python
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from tf_bertembed import models, probe, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    models.save_huggingface(backbone, "my-bert", tokenizer)
    features = probe.BertEmbedTransformer("my-bert", sequence_length=32)
    pipeline = make_pipeline(features, LogisticRegression())
    pipeline.fit(["good film", "bad film", "a good film", "a bad film"], [1, 0, 1, 0])
    assert pipeline.predict(["good"]).shape == (1,)
    ```

    References:
        Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084
    """

    def __init__(
        self,
        path,
        pooling=None,
        sequence_length=None,
        batch_size=None,
        normalize=None,
        max_pieces=None,
        layers=None,
        layer_weights=None,
        cache=None,
        progress=False,
    ):
        self.path = path
        self.pooling = pooling
        self.sequence_length = sequence_length
        self.batch_size = batch_size
        self.normalize = normalize
        self.max_pieces = max_pieces
        self.layers = layers
        self.layer_weights = layer_weights
        self.cache = cache
        self.progress = progress

    def _learn(self, texts):
        self._opened()
        self.model_digest_ = self._loaded[2]

    def _features(self, texts):
        encoder = self._opened()
        if self._loaded[2] != self.model_digest_:
            raise BertEmbedError(
                f"{self.path} holds another model than in `fit`: its files changed, or a newer "
                "version was exported. Fit again, or give the path of the model that it was."
            )
        return encoder.encode(texts, self.batch_size, self.max_pieces, show_progress=self.progress)

    def _width(self):
        return self._opened().dimensions

    def _opened(self):
        from tf_bertembed.probe.model_files import content_digest, model_folder
        from tf_bertembed.probe.opened_encoder import open_encoder

        check_limits(batch_size=self.batch_size, max_pieces=self.max_pieces)
        settings = (
            *(str(self.path), self.pooling, self.normalize, self.sequence_length, self.layers),
            *(self.cache, self.layer_weights),
        )
        loaded = getattr(self, "_loaded", None)
        if loaded is None or repr(loaded[0]) != repr(settings):
            encoder = open_encoder(*settings)
            self._loaded = loaded = settings, encoder, content_digest(model_folder(self.path))
        return loaded[1]
