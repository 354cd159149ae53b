"""Where a fine-tuning starts from: a backbone that was trained, or a new one; word vectors."""

import dataclasses
import numbers
import unicodedata
from pathlib import Path

from gensim.models import KeyedVectors

from tf_bertembed import models, text, vectors
from tf_bertembed.common import BertEmbedError, check_at_least


@dataclasses.dataclass(frozen=True)
class ModelStart:
    """What a task starts from.

    Args:
        backbone: string or `pathlib.Path`. A RUN, a checkpoint folder of any
            format, or the name `"all-minilm-l6-v2"`; `None` for a new
            backbone of the sizes below.
        vectors: string, `pathlib.Path` or `gensim.models.KeyedVectors`. Word
            vectors, as `vectors.load` takes them; `None` for none.
        input_fusion: string. How word vectors join the tokens; see
            `models.with_fusion`, as for the next five.
        output_fusion: string. How word vectors join the encoder's output.
        static_trainable: bool. Whether training changes the word vectors;
            `None` for no, or as the backbone that has them was made.
        static_dropout: float. The share of words without a vector in training.
        static_normalize: string. `"unit"`, `"standard"` or `None`.
        normalize_encoded: bool. Whether output fusion normalises the
            encoder's vector too.
        frequent_words: int. How many of the first words of `vectors` have a
            row, beside all words of the training texts that have a vector.
        warm_start: bool. Whether the token table starts from the vectors;
            `None` for yes where there are vectors and the backbone is new.
        warm_start_scale: float or `"own"`; see `models.warm_start`.
        vocabulary: string or `pathlib.Path`. The pieces of a new backbone;
            `None` to learn them from the training texts.
        vocabulary_size: int. How many pieces to learn at most.
        lowercase: bool. Whether a new backbone's tokenizer lower-cases.
        num_layers: int. Layers of a new backbone.
        num_heads: int. Heads of each.
        hidden_dim: int. Its width.
        intermediate_dim: int. Its inner width; `None` for four times the width.
        dropout: float. Its dropout.

    Raises:
        BertEmbedError: where an argument is of another type or out of range, or some
            contradict one another.

    Example:

    ```python
    from tf_bertembed import training

    start = training.ModelStart(vectors="glove-6b-50d", output_fusion="concat")
    assert start.backbone is None and start.num_layers == 2
    ```
    """

    backbone: str | Path | None = None
    vectors: str | Path | KeyedVectors | None = None
    input_fusion: str | None = None
    output_fusion: str | None = None
    static_trainable: bool | None = None
    static_dropout: float = 0.0
    static_normalize: str | None = None
    normalize_encoded: bool = True
    frequent_words: int = 20_000
    warm_start: bool | None = None
    warm_start_scale: float | str = "own"
    vocabulary: str | Path | None = None
    vocabulary_size: int = 8000
    lowercase: bool = True
    num_layers: int = 2
    num_heads: int = 4
    hidden_dim: int = 128
    intermediate_dim: int | None = None
    dropout: float = 0.1

    def __post_init__(self):
        check_at_least(0, frequent_words=self.frequent_words)
        for name in ("backbone", "vocabulary"):
            value = getattr(self, name)
            if not isinstance(value, (str, Path, type(None))):
                raise BertEmbedError(f"`{name}` must be a path or a name. Received: {value!r:.80}.")
        for name in ("dropout", "static_dropout"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
                raise BertEmbedError(f"`{name}` must be from 0 to 1. Received: {value!r}.")
        if self.vectors is None and (self.fused or self.warm_start):
            raise BertEmbedError(
                "`input_fusion`, `output_fusion` and `warm_start` need `vectors` (--vectors)."
            )
        if self.vectors is not None and not self.fused and not self.warms:
            raise BertEmbedError(
                "`vectors` (--vectors) would not be used: give `input_fusion`, `output_fusion` or "
                "`warm_start` (--input-fusion, --output-fusion, --warm-start)."
            )
        if self.backbone is not None and self.vocabulary is not None:
            raise BertEmbedError(
                "`vocabulary` (--vocabulary) is for a new backbone; one that was trained has its "
                f"own. Received: backbone={str(self.backbone)!r}."
            )

    @property
    def fused(self):
        """Whether word vectors join the model."""
        return self.input_fusion is not None or self.output_fusion is not None

    @property
    def warms(self):
        """Whether the token table starts from word vectors."""
        if self.warm_start is None:
            return self.vectors is not None and self.backbone is None
        return self.warm_start

    @property
    def fields(self):
        """The arguments, ready for JSON."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if isinstance(self.vectors, KeyedVectors):
            fields["vectors"] = f"{len(self.vectors)} words of width {self.vectors.vector_size}"
        return {n: str(v) if isinstance(v, Path) else v for n, v in fields.items()}


class StartingModel:
    """A start made ready for certain training texts: each backbone of it begins afresh.

    Args:
        start: a `ModelStart`.
        texts: list of strings. The training texts.
        sequence_length: int. The most pieces of a text.
        precision: string or `None`.
        seed: int. For what an alignment makes up.
    """

    def __init__(self, start, texts, sequence_length, precision=None, seed=0):
        self.start = start
        self.precision = {} if precision is None else {"dtype": precision}
        self.sequence_length = sequence_length
        self.static_words = self._table = self._aligned = None
        if start.backbone is not None:
            self.folder = models.find_checkpoint(start.backbone)
            self.tokenizer = models.load_tokenizer(self.folder)
            self.static_words = _words_of(self.folder)
        elif start.vocabulary is not None:
            vocabulary = text.load_vocabulary(start.vocabulary)
            self.tokenizer = text.BertEmbedTokenizer(vocabulary, lowercase=start.lowercase)
        else:
            vocabulary = text.train_vocabulary(texts, start.vocabulary_size, start.lowercase)
            self.tokenizer = text.BertEmbedTokenizer(vocabulary, lowercase=start.lowercase)
        if start.vectors is not None:
            self._use(_loaded(start.vectors), texts, seed)

    def _use(self, keyed, texts, seed):
        if self.start.warms:
            vocabulary = self.tokenizer.get_vocabulary()
            self._aligned = vectors.align(keyed, vocabulary, seed=seed).matrix
        if self.start.fused:
            words = _words_to_keep(keyed, texts, self.tokenizer, self.start.frequent_words)
            self.static_words, self._table = vectors.static_table(keyed, words)

    def backbone(self, seed):
        """Make the backbone; Keras's random state is as the caller set it."""
        start = self.start
        if start.backbone is not None:
            backbone = models.load(self.folder, **self.precision)
        else:
            backbone = models.BertEmbedBackbone(
                vocabulary_size=self.tokenizer.vocabulary_size(),
                num_layers=start.num_layers,
                num_heads=start.num_heads,
                hidden_dim=start.hidden_dim,
                intermediate_dim=start.intermediate_dim or 4 * start.hidden_dim,
                dropout=start.dropout,
                max_sequence_length=self.sequence_length,
                **self.precision,
            )
        if self._aligned is not None:
            models.warm_start(backbone, self._aligned, start.warm_start_scale, seed)
        if self._table is None:
            return backbone
        return models.with_fusion(
            backbone,
            self._table,
            input_fusion=start.input_fusion,
            output_fusion=start.output_fusion,
            static_trainable=bool(start.static_trainable),
            static_dropout=start.static_dropout,
            static_normalize=start.static_normalize,
            normalize_encoded=start.normalize_encoded,
            **self.precision,
        )


def _loaded(source):
    return source if isinstance(source, KeyedVectors) else vectors.load(source)


def _words_of(folder):
    own = models.checkpoint_format(folder) == "tf-bertembed"
    if not own or not (folder / "preprocessor.json").exists():
        return None
    return text.Preprocessor.from_preset(folder).static_words


def _words_to_keep(keyed, texts, tokenizer, frequent):
    # As the preprocessor looks a word up: as written, composed, and each lower-cased.
    found = text.count_words(texts, tokenizer)
    found = {form for word in found for form in (word, unicodedata.normalize("NFC", word))}
    found |= {word.lower() for word in found}
    return [
        word for place, word in enumerate(keyed.index_to_key) if place < frequent or word in found
    ]
