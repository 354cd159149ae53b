"""From strings to the features of the backbone, in the graph."""

from pathlib import Path

import keras
import keras_nlp
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.packing import Layout
from tf_bertembed.text.presets import layer_from_preset
from tf_bertembed.text.tokenizer import BertEmbedTokenizer
from tf_bertembed.text.tracing import TracedWhenRepeated
from tf_bertembed.text.words import WordRows, WordTable

STATIC_WORDS_FILE = "static_words.txt"
PADDINGS = ("longest", "max_length")
SHORTEST_PAIR = 5


@keras.saving.register_keras_serializable("tf_bertembed")
class Preprocessor(keras_nlp.models.Preprocessor):
    """Turns one text, or a pair of texts, into the features of the backbone.

    `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`. What is too long is cut: of a
    pair, the longer text first. Where `static_words` is given, every piece of
    a word carries the row of the whole word in the word-vector table: the
    word is taken from the original text by its byte offsets and looked up as
    written, then lower-cased, then both without invisible characters and with
    its accents composed (NFC). So a word that the vocabulary knows only as
    `[UNK]` still has its vector.

    All of it runs in the graph: in `tf.data`, in a `tf.function`, and in a
    SavedModel that takes strings.

    Args:
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        sequence_length: int. The most pieces that a sequence may have,
            special tokens included.
        static_words: list of strings. The words that have a vector: word i
            has row i + 1 of the table, row 0 means "none". `None` for no
            `static_ids`.
        padding: string. `"longest"` pads to the longest text of the batch,
            `"max_length"` to `sequence_length`.
        **kwargs: Keyword arguments of `keras_nlp.models.Preprocessor`.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "caf", "##e", "!"])
    preprocessor = text.Preprocessor(tokenizer, 16, static_words=["café", "我"])
    features = preprocessor(["Café!", "我"])
    assert features["token_ids"].numpy().tolist() == [[2, 5, 6, 7, 3], [2, 1, 3, 0, 0]]
    assert features["static_ids"].numpy().tolist() == [[0, 1, 1, 0, 0], [0, 2, 0, 0, 0]]
    ```
    """

    tokenizer_cls = BertEmbedTokenizer

    def __init__(
        self, tokenizer, sequence_length=512, static_words=None, padding="longest", **kwargs
    ):
        super().__init__(**kwargs)
        if padding not in PADDINGS:
            raise common.BertEmbedError(
                f'`padding` must be "longest" or "max_length". Received: {padding!r}.'
            )
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.padding = padding
        self._word_table = self._word_rows = None
        self._run = TracedWhenRepeated(self._features)
        if static_words is not None:
            self._word_table = WordTable(static_words)
        self.built = True

    @classmethod
    def from_preset(cls, preset, config_file="preprocessor.json", **kwargs):
        """Load the preprocessor of a keras-nlp preset folder."""
        # The inherited one wants to know the backbone's class, which this part does not.
        return layer_from_preset(cls, preset, config_file, kwargs)

    @property
    def sequence_length(self):
        """The most pieces that a sequence may have."""
        return self._sequence_length

    @sequence_length.setter
    def sequence_length(self, value):
        if not common.is_whole(value) or value < 3:
            raise common.BertEmbedError(
                "`sequence_length` must be an int of at least 3, room for [CLS], one piece and "
                f"[SEP]. Received: {value!r}."
            )
        self._sequence_length = value

    @property
    def static_words(self):
        """The words that have a vector, in the order of their rows; or `None`."""
        return None if self._word_table is None else list(self._word_table.words)

    def __call__(self, *args, **kwargs):
        # keras-nlp takes a lone tuple for (x, y); two texts are a pair.
        lone = len(args) == 1 and not kwargs and isinstance(args[0], tuple)
        if lone and len(args[0]) == 2 and all(map(_is_text, args[0])):
            kwargs["y"] = None
        # Keras looks at every string of a list, several times; a tensor is one thing.
        return super().__call__(*map(_as_tensors, args[:1]), *args[1:], **kwargs)

    def call(self, x, y=None, sample_weight=None):
        """Make features; labels and sample weights pass through.

        Args:
            x: string tensor [B], list or array of strings; or a tuple of two
                such, for pairs. A single string, or a pair of them, gives
                features without the batch dimension.
            y: anything. Labels.
            sample_weight: anything. Sample weights.

        Returns:
            A dict of `token_ids` [B, T] int32, `segment_ids` [B, T] int32,
            `padding_mask` [B, T] bool and, where there are `static_words`,
            `static_ids` [B, T] int32; in a tuple with `y` and
            `sample_weight` where they are given.

        Raises:
            BertEmbedError: where `x` is not one or two tensors of strings.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "b"])
        preprocessor = text.Preprocessor(tokenizer, 8, padding="max_length")
        features, y = preprocessor((["a a"], ["b"]), y=[1])
        assert features["token_ids"].numpy().tolist() == [[2, 5, 5, 3, 6, 3, 0, 0]]
        assert features["segment_ids"].numpy().tolist() == [[0, 0, 0, 0, 1, 1, 0, 0]]
        ```
        """
        # Strings have no kernels on a GPU.
        with tf.device("cpu"):
            texts = [tf.convert_to_tensor(text) for text in (x if _is_pair(x) else (x,))]
            _check_texts(texts)
            if len(texts) == 2 and self.sequence_length < SHORTEST_PAIR:
                raise common.BertEmbedError(
                    f"A pair needs a `sequence_length` of at least {SHORTEST_PAIR}: [CLS], two "
                    f"[SEP] and a piece of each text. Received: {self.sequence_length}."
                )
            scalar = texts[0].shape.rank == 0
            if scalar:
                texts = [text[tf.newaxis] for text in texts]
            features = self._run(texts, self.made_of())
            if scalar:
                features = {name: value[0] for name, value in features.items()}
        return keras.utils.pack_x_y_sample_weight(features, y, sample_weight)

    def save_assets(self, dir_path):
        """Write the words into a folder; Keras calls this on saving.

        Args:
            dir_path: string. The folder.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
        text.Preprocessor(tokenizer, static_words=["one", "two"]).save_assets(".")
        assert open("static_words.txt").read() == "one\\ntwo\\n"
        ```
        """
        if self._word_table is None:
            return
        with common.atomic_path(Path(dir_path) / STATIC_WORDS_FILE, overwrite=True) as place:
            place.write_bytes("".join(f"{word}\n" for word in self._word_table.words).encode())

    def load_assets(self, dir_path):
        """Take the words from a folder; Keras calls this on loading.

        Args:
            dir_path: string. The folder. Without a file of words in it, there
                are no words.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
        text.Preprocessor(tokenizer, static_words=["one", "two"]).save_assets(".")
        preprocessor = text.Preprocessor(tokenizer)
        preprocessor.load_assets(".")
        assert preprocessor.static_words == ["one", "two"]
        ```
        """
        path = Path(dir_path) / STATIC_WORDS_FILE
        self._word_table = None
        if path.exists():
            # A carriage return may be part of a word, so only \n ends a line.
            words = common.require_file(path).read_bytes().decode("utf-8").split("\n")
            self._word_table = WordTable(words[:-1])

    def save_to_preset(self, preset_dir):
        """Save configuration and assets as a keras-nlp preset."""
        Path(preset_dir).mkdir(parents=True, exist_ok=True)
        super().save_to_preset(str(preset_dir))
        assets = self._preset_assets(preset_dir)
        assets.mkdir(parents=True, exist_ok=True)
        self.save_assets(assets)

    def load_preset_assets(self, preset):
        """Take the assets of a preset; keras-nlp calls this on loading."""
        super().load_preset_assets(str(preset))
        self.load_assets(self._preset_assets(preset))

    def get_config(self):
        """Give the constructor's arguments; the words are an asset."""
        config = super().get_config()
        config.update(
            {
                "sequence_length": self.sequence_length,
                "static_words": None,
                "padding": self.padding,
            }
        )
        return config

    def _preset_assets(self, preset):
        return Path(preset) / "assets" / Path(self.config_file).stem

    def made_of(self):
        """Tell what features depend on besides texts, so that a graph of them may be kept.

        Returns:
            A tuple, which equals that of another time where a graph that was
            traced then still makes the same features.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
        preprocessor = text.Preprocessor(tokenizer, 16)
        before = preprocessor.made_of()
        assert preprocessor.made_of() == before
        preprocessor.sequence_length = 8
        assert preprocessor.made_of() != before
        ```
        """
        tokenizer = self.tokenizer
        return tokenizer, tokenizer.wordpiece, self._word_table, self.sequence_length, self.padding

    def _rows_of_words(self):
        tokenizer, made = self.tokenizer, self._word_rows
        if made is None or not made.suits(tokenizer, self._word_table):
            # Made when first asked for: vocabulary and words may come later than the layer.
            made = self._word_rows = WordRows(tokenizer, self._word_table)
        return made

    def _pieces(self, texts):
        """Ids of [B] texts as a ragged tensor, and flat rows of their words or `None`."""
        if self._word_table is None:
            return self.tokenizer.tokenize(texts), None
        return self._rows_of_words()(texts)

    def _features(self, texts):
        tokenizer = self.tokenizer
        ids, rows = self._pieces(tf.concat(texts, axis=0) if len(texts) == 2 else texts[0])
        layout = Layout(
            ids.row_splits, len(texts), self.sequence_length, self.padding == "max_length"
        )
        special = tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id
        features = {
            "token_ids": layout.fill(ids.values, *special),
            "segment_ids": layout.segment_ids(),
            "padding_mask": layout.mask,
        }
        if rows is not None:
            features["static_ids"] = layout.fill(rows)
        return features


def text_features(preprocessor, texts):
    """Features of texts [B], each a row, as `Preprocessor` makes them, of any kind of it."""
    with tf.device("cpu"):
        return Preprocessor._features(preprocessor, [texts])


def _is_pair(x):
    if isinstance(x, list) and x and isinstance(x[0], tuple):
        raise common.BertEmbedError(
            "Pairs are two columns, (first texts, second texts). Received: a list of tuples. "
            "Turn it with `tuple(zip(*pairs))`."
        )
    return isinstance(x, tuple) or (
        isinstance(x, list) and x and not isinstance(x[0], (str, bytes))
    )


def _as_tensors(x):
    first = x[0] if isinstance(x, list) and x else x
    if isinstance(first, (str, bytes)):
        with tf.device("cpu"):
            return tf.convert_to_tensor(x)
    if isinstance(x, tuple):
        return tuple(map(_as_tensors, x))
    return list(map(_as_tensors, x)) if isinstance(first, list) else x


def _is_text(value):
    if isinstance(value, (list, tuple)):
        return bool(value) and _is_text(value[0])
    if isinstance(value, (str, bytes)):
        return True
    dtype = getattr(value, "dtype", None)
    return dtype is not None and (dtype == tf.string or getattr(dtype, "kind", "") in "OSU")


def _check_texts(texts):
    if len(texts) not in (1, 2):
        raise common.BertEmbedError(
            f"`x` must be one text or a tuple of two. Received: {len(texts)} of them."
        )
    for text in texts:
        if text.dtype != tf.string:
            raise common.BertEmbedError(
                f"`x` must be strings. Received: a tensor of {text.dtype.name}."
            )
        if text.shape.rank not in (0, 1) or text.shape.rank != texts[0].shape.rank:
            raise common.BertEmbedError(
                "`x` must be strings of shape [B], or a tuple of two such. "
                f"Received: shapes {[tuple(t.shape) for t in texts]}."
            )
    if len(texts) == 2 and texts[0].shape.rank == 1:
        problem = "A pair needs as many second texts as first ones."
        sizes = [text.shape[0] for text in texts]
        if None in sizes:
            tf.debugging.assert_equal(*map(tf.size, texts), message=problem)
        elif sizes[0] != sizes[1]:
            raise common.BertEmbedError(f"{problem} Received: {sizes[0]} and {sizes[1]}.")
