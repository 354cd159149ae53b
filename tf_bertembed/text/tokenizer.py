"""The one tokenizer: WordPiece in the graph, the same wherever a model runs."""

from pathlib import Path

import keras
import keras_nlp
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.normalizer import Rules
from tf_bertembed.text.presets import layer_from_preset
from tf_bertembed.text.tokenizer_config import read_flags, read_pieces
from tf_bertembed.text.vocabulary import SPECIAL_TOKENS, check_vocabulary, load_vocabulary
from tf_bertembed.text.vocabulary_access import VOCABULARY_FILE, VocabularyAccess
from tf_bertembed.text.wordpiece import WordPiece


@keras.saving.register_keras_serializable("tf_bertembed")
class BertEmbedTokenizer(VocabularyAccess, keras_nlp.tokenizers.Tokenizer):
    """A BERT WordPiece tokenizer that runs inside the TensorFlow graph.

    Text is cleaned of control characters, split at white space, punctuation
    and Chinese characters, lower-cased and freed of accents as the arguments
    say, and cut into the longest pieces of the vocabulary from left to right.
    The same kernels (`tensorflow_text`) run eagerly, in `tf.data`, in a
    `tf.function` and in an exported SavedModel.

    Special tokens in the text itself are text: `"[SEP]"` gives `[`, `sep`
    and `]`, so that no text can forge a boundary.

    Calling the layer gives what `tokenize` gives; eagerly, ragged results are
    Python lists then, as they are for every tokenizer of keras-nlp.

    Args:
        vocabulary: list of strings, or the path of a vocabulary file. It must
            hold `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`. `None` where
            it comes later, by `set_vocabulary` or `load_assets`.
        lowercase: bool. Whether to lower-case text (`do_lower_case`).
        max_chars_per_word: int. Words of more characters than this (after
            normalisation) become `[UNK]`, as published BERT tokenizers do.
        dtype: string. The integer type of the ids, `"int32"` or `"int64"`.
        strip_accents: bool. Whether to decompose characters (NFD) and strip
            their accents. `None` to do so where text is lower-cased.
        tokenize_chinese_chars: bool. Whether each Chinese character is a word
            of its own.
        **kwargs: Keyword arguments of `keras_nlp.tokenizers.Tokenizer`.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "caf", "##e", "我", "!"])
    assert tokenizer(["Café!", "我 x"]) == [[5, 6, 8], [7, 1]]
    ```

    References:
    - [Devlin et al., 2018](https://arxiv.org/abs/1810.04805)
    - [Song et al., 2020](https://arxiv.org/abs/2012.15524)
    """

    def __init__(
        self,
        vocabulary=None,
        lowercase=True,
        max_chars_per_word=100,
        dtype="int32",
        strip_accents=None,
        tokenize_chinese_chars=True,
        **kwargs,
    ):
        if getattr(dtype, "name", dtype) not in ("int32", "int64"):
            raise common.BertEmbedError(f'`dtype` must be "int32" or "int64". Received: {dtype!r}.')
        common.check_at_least(1, max_chars_per_word=max_chars_per_word)
        super().__init__(dtype=dtype, **kwargs)
        self.lowercase = bool(lowercase)
        self.strip_accents = None if strip_accents is None else bool(strip_accents)
        self.tokenize_chinese_chars = bool(tokenize_chinese_chars)
        self.max_chars_per_word = max_chars_per_word
        for token in SPECIAL_TOKENS:
            self._add_special_token(token, f"{token[1:-1].lower()}_token")
        self.file_assets = [VOCABULARY_FILE]
        self.set_vocabulary(vocabulary)
        self.built = True

    @classmethod
    def from_folder(cls, path, **kwargs):
        """Make the tokenizer of a Hugging Face BERT folder.

        Args:
            path: string or `pathlib.Path`. A folder with `vocab.txt` or, as
                `transformers` 5 writes it, `tokenizer.json` alone.
                `do_lower_case`, `strip_accents` and `tokenize_chinese_chars`
                are taken from its `tokenizer_config.json`, or where there is
                none from the normalizer of `tokenizer.json`; what is not said
                there is as in published models.
            **kwargs: Keyword arguments of the constructor.

        Returns:
            A `BertEmbedTokenizer`.

        Raises:
            MissingFileError: where the folder or its vocabulary is missing.
            FileFormatError: where one of the files is not what it should be,
                or asks for what this tokenizer does not do.

        Example:

        ```python
        from tf_bertembed import text

        text.save_vocabulary([*text.SPECIAL_TOKENS, "A", "a"], "vocab.txt")
        with open("tokenizer_config.json", "w") as file:
            file.write('{"do_lower_case": false}')
        tokenizer = text.BertEmbedTokenizer.from_folder(".")
        assert tokenizer(["A a"]) == [[5, 6]]
        ```
        """
        return cls(**{**read_pieces(path), **read_flags(path), **kwargs})

    @classmethod
    def from_config(cls, config):
        """Make the tokenizer that `get_config` describes."""
        if isinstance(config.get("vocabulary"), (str, Path)):
            # A model archive must not make its loader read files outside of it.
            raise common.BertEmbedError(
                "A configuration must not name a vocabulary file: saved tokenizers hold their "
                f"pieces as an asset. Received: {str(config['vocabulary'])!r}. Pass the file to "
                "BertEmbedTokenizer itself."
            )
        return super().from_config(config)

    @classmethod
    def from_preset(cls, preset, config_file="tokenizer.json", **kwargs):
        """Load the tokenizer of a keras-nlp preset folder."""
        # The inherited one wants to know the backbone's class, which this part does not.
        return layer_from_preset(cls, preset, config_file, kwargs)

    def set_vocabulary(self, vocabulary):
        """Take a vocabulary in place of the present one.

        Args:
            vocabulary: list of strings, or the path of a vocabulary file;
                `None` to have none.

        Raises:
            BertEmbedError: where pieces are blank or repeated, or a special
                token is missing.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer()
        tokenizer.set_vocabulary([*text.SPECIAL_TOKENS, "one"])
        assert tokenizer.vocabulary_size() == 6
        ```
        """
        self._vocabulary = None
        if vocabulary is None:
            return
        if isinstance(vocabulary, (str, Path)):
            vocabulary = load_vocabulary(vocabulary)
        else:
            vocabulary = list(vocabulary)
            check_vocabulary(vocabulary)
        strips = self.lowercase if self.strip_accents is None else self.strip_accents
        rules = Rules(self.lowercase, strips, self.tokenize_chinese_chars)
        self._wordpiece = WordPiece(vocabulary, rules, self.max_chars_per_word, self.compute_dtype)
        self._vocabulary = vocabulary
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        self._update_special_token_ids()

    def tokenize(self, inputs):
        """Cut texts into pieces.

        Args:
            inputs: string, array, tensor or ragged tensor of strings, of any
                shape.

        Returns:
            The ids of the pieces, as a ragged tensor with one dimension more
            than `inputs`; for a single string a tensor [T].

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "##s", "."])
        assert tokenizer.tokenize(["Ones.", ""]).to_list() == [[5, 6, 7], []]
        ```
        """
        return self._over_texts("split", inputs)[0]

    def tokenize_with_offsets(self, inputs):
        """Cut texts into pieces and say where each stands in its text.

        Args:
            inputs: string, array, tensor or ragged tensor of strings, of any
                shape.

        Returns:
            A tuple of three ragged tensors, as `tokenize` returns them: the
            ids; the byte where each piece starts in the original, not the
            normalised, UTF-8 text; the byte after its end. Pieces that share
            a character, as the parts of a decomposed Hangul syllable do, may
            have empty spans; from the start of a word's first piece to the
            end of its last one is always the word.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "caf", "##e", "!"])
        ids, starts, ends = tokenizer.tokenize_with_offsets(["Café!"])
        assert ids.to_list() == [[5, 6, 7]]
        assert starts.to_list() == [[0, 3, 5]] and ends.to_list() == [[3, 5, 6]]
        ```
        """
        return self._over_texts("split_with_offsets", inputs)

    def starts_word(self, token_ids):
        """Tell which pieces start a word, and which continue one (`##…`).

        Args:
            token_ids: int tensor or ragged tensor of ids, of any shape.

        Returns:
            A bool tensor of the same shape.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "##s"])
        assert tokenizer.starts_word([5, 6, 1]).numpy().tolist() == [True, False, True]
        ```
        """
        self._require_vocabulary()
        if isinstance(token_ids, tf.RaggedTensor):
            return token_ids.with_flat_values(self.starts_word(token_ids.flat_values))
        return self._wordpiece.starts_word(tf.convert_to_tensor(token_ids))

    def detokenize(self, inputs):
        """Join pieces to text: words with a space between, normalised.

        Args:
            inputs: int tensor, ragged tensor or list of lists of ids.

        Returns:
            A string tensor with one dimension less than `inputs`.
        """
        self._require_vocabulary()
        if isinstance(inputs, list) and inputs and isinstance(inputs[0], list):
            inputs = tf.ragged.constant(inputs, dtype=self.compute_dtype)
        return self._wordpiece.join(inputs)

    def get_config(self):
        """Give the constructor's arguments; the vocabulary is an asset."""
        config = super().get_config()
        config.update(
            {
                "vocabulary": None,
                "lowercase": self.lowercase,
                "max_chars_per_word": self.max_chars_per_word,
                "strip_accents": self.strip_accents,
                "tokenize_chinese_chars": self.tokenize_chinese_chars,
            }
        )
        return config

    @property
    def wordpiece(self):
        """The `WordPiece` of the present vocabulary."""
        self._require_vocabulary()
        return self._wordpiece

    def _over_texts(self, method, inputs):
        """Apply a method of `WordPiece`, which takes texts [B], to strings of any shape."""
        self._require_vocabulary()
        split = getattr(self._wordpiece, method)
        if isinstance(inputs, tf.RaggedTensor):
            texts, nest = inputs.flat_values, inputs.with_flat_values
        else:
            inputs = tf.convert_to_tensor(inputs)
            if inputs.dtype != tf.string:
                raise common.BertEmbedError(
                    f"Strings were expected. Received: a tensor of {inputs.dtype.name}."
                )
            if inputs.shape.rank == 0:
                return tuple(pieces[0] for pieces in split(inputs[tf.newaxis]))
            if inputs.shape.rank == 1:
                return split(inputs)
            ragged = tf.RaggedTensor.from_tensor(inputs, ragged_rank=inputs.shape.rank - 1)
            texts, nest = ragged.flat_values, ragged.with_flat_values
        return tuple(nest(pieces.with_row_splits_dtype(tf.int64)) for pieces in split(texts))
