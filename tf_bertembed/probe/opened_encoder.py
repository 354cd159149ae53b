"""An encoder that loads its model only where a cache does not know the answer."""

import contextlib
import os
import sys
import threading
from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, check_limits, progress, read_json
from tf_bertembed.common.windows import WINDOW
from tf_bertembed.probe.model_files import fingerprint, model_folder
from tf_bertembed.probe.vector_cache import VectorCache, text_keys
from tf_bertembed.text.checks import check_texts


def open_encoder(
    path,
    pooling=None,
    normalize=None,
    sequence_length=None,
    layers=None,
    cache=None,
    layer_weights=None,
):
    """Open whatever stands at a path as an encoder of strings, with a cache or without.

    Without a cache the model is loaded at once. With one, it is loaded, and
    TensorFlow imported, when a text is first asked for that the cache lacks.

    Args:
        path: string or `pathlib.Path`. As for `BertEmbedTransformer`.
        pooling: string. As for `BertEmbedTransformer`.
        normalize: bool. As for `BertEmbedTransformer`.
        sequence_length: int. As for `BertEmbedTransformer`.
        layers: int or list of ints. As for `BertEmbedTransformer`.
        cache: string or `pathlib.Path`. A folder; `None` for no cache.
        layer_weights: list of floats. As for `BertEmbedTransformer`.

    Returns:
        An `OpenedEncoder`.

    Raises:
        MissingFileError: where nothing stands at the path.
        FileFormatError: where the cache is damaged or not one.
        BertEmbedError: where the path is no model, a setting does not suit
            it, or the cache cannot be written.
    """
    settings = {
        "pooling": pooling,
        "normalize": normalize,
        "sequence_length": sequence_length,
        "layers": layers,
        "layer_weights": layer_weights,
    }
    return OpenedEncoder(path, settings, cache)


class OpenedEncoder:
    """See `open_encoder`."""

    def __init__(self, path, settings, cache):
        self._path = str(path)
        self._settings = settings
        self._encoder = self._cache = None
        self._loading = threading.Lock()
        if cache is None:
            self._load()
        elif not isinstance(cache, str | os.PathLike):
            raise BertEmbedError(f"`cache` must be the path of a folder. Received: {cache!r}.")
        else:
            # The version that was found now is the one that is loaded later.
            self._folder = model_folder(path)
            about = {"model": str(self._folder.absolute()), "settings": str(settings)}
            self._cache = VectorCache(cache, self._fingerprint(), about)

    @property
    def dimensions(self):
        """The width D of the vectors."""
        known = None if self._cache is None else self._cache.dimensions
        return self._load().output_dim if known is None else known

    def encode(self, texts, batch_size=None, max_pieces=None, streams=None, show_progress=True):
        """Encode texts.

        Args:
            texts: sequence of N strings.
            batch_size: int. As for `models.TextEncoder.encode`.
            max_pieces: int. As for `models.TextEncoder.encode`.
            streams: int. As for `models.TextEncoder.encode`.
            show_progress: bool. Whether to show a bar on stderr, where that
                is a terminal.

        Returns:
            An array `[N, D]`, float32, rows in the order of `texts`.

        Raises:
            BertEmbedError: where an input is no text, a limit is less than 1,
                or the cache fails.
        """
        texts = check_texts(texts)
        check_limits(batch_size=batch_size, max_pieces=max_pieces, streams=streams)
        limits = batch_size, max_pieces, streams
        vectors = np.empty((len(texts), self.dimensions), "float32")
        with (
            progress("Encoding texts", len(texts))
            if show_progress
            else contextlib.nullcontext(_nothing) as advance
        ):
            for begin in range(0, len(texts), WINDOW):
                window = texts[begin : begin + WINDOW]
                vectors[begin : begin + len(window)] = self._window(window, limits, advance)
        return vectors

    def _window(self, texts, limits, advance):
        if self._cache is None:
            return self._load().encode(texts, *limits, advance)
        distinct = {}
        rows = [distinct.setdefault(text, len(distinct)) for text in texts]
        distinct = list(distinct)
        keys = text_keys(distinct)
        places, known = self._cache.read(keys)
        if len(known) < len(keys):
            missing = np.setdiff1d(np.arange(len(keys)), places)
            fresh = self._load().encode([distinct[place] for place in missing], *limits, advance)
            self._cache.write([keys[place] for place in missing], fresh)
            known = np.concatenate([known.reshape(-1, fresh.shape[1]), fresh])
            places = np.concatenate([places, missing])
            advance(len(texts) - len(missing))
        else:
            advance(len(texts))
        row_of = np.empty(len(keys), "int64")
        row_of[places] = np.arange(len(keys))
        return known[row_of[rows]]

    def _load(self):
        with self._loading:
            if self._encoder is None:
                from tf_bertembed.probe.encoders import load_encoder

                exact = self._path if self._cache is None else str(self._folder)
                encoder = load_encoder(exact, **self._settings)
                if self._cache is not None and self._fingerprint() != self._cache.fingerprint:
                    raise BertEmbedError(
                        f"The files of {self._path}, or Keras's dtype policy, changed after the "
                        "cache was opened for them. Open the encoder anew."
                    )
                self._encoder = encoder
        return self._encoder

    def _fingerprint(self):
        return encoder_fingerprint(self._folder, self._settings)


def encoder_fingerprint(folder, settings):
    """Make the number of a model, its settings and the precision that Keras is set to.

    Args:
        folder: `pathlib.Path`. What `model_folder` gave.
        settings: dict that JSON can hold.

    Returns:
        As `fingerprint` does.
    """
    return fingerprint(folder, [settings, _precision()])


def _nothing(steps):
    pass


def _precision():
    # Known without importing Keras, which takes as long as thousands of texts do.
    keras = sys.modules.get("keras")
    if keras is not None:
        return keras.config.dtype_policy().name
    path = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "keras.json"
    return read_json(path).get("floatx", "float32") if path.exists() else "float32"
