"""What an exported model tells of itself, as JSON beside it."""

import datetime
import hashlib
import importlib.metadata
import json
import os
from pathlib import Path

import tf_bertembed
from tf_bertembed.common import BertEmbedError, FileFormatError, read_json
from tf_bertembed.export.c_api import require_saved_model
from tf_bertembed.export.signature_checks import signature_facts
from tf_bertembed.text import BertEmbedTokenizer

METADATA = Path("assets.extra") / "metadata.json"
FORMAT = 1
PACKAGES = ("tensorflow", "tensorflow-text", "keras", "keras-nlp")
# The oldest TensorFlow Serving whose ops every export is held to.
MINIMUM_SERVER = "2.19"
CONTINUES = "##"


def versions():
    """The versions of the packages that make an export, a dict of strings."""
    found = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {"tf_bertembed": tf_bertembed.__version__, **found}


def exported_at():
    """The time of an export as an ISO 8601 string in UTC, or that of `SOURCE_DATE_EPOCH`."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.datetime.now(datetime.UTC)
    else:
        try:
            moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise BertEmbedError(
                "SOURCE_DATE_EPOCH must be seconds since 1970, a whole number. "
                f"Received: {epoch!r}."
            ) from error
    return moment.replace(microsecond=0).isoformat()


def vocabulary_facts(tokenizer):
    """What a tokenizer cuts texts by.

    Args:
        tokenizer: a `BertEmbedTokenizer`.

    Returns:
        A dict: `pieces`, `sha256` of the pieces with a line end after each
        (that of `vocab.txt`), and how texts are normalised.
    """
    pieces = tokenizer.get_vocabulary()
    written = "".join(f"{piece}\n" for piece in pieces).encode()
    return {
        "pieces": len(pieces),
        "sha256": hashlib.sha256(written).hexdigest(),
        "lowercase": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
    }


def word_vector_facts(backbone, words, tokenizer):
    """What a model knows of words besides its pieces.

    Args:
        backbone: a `BertEmbedBackbone` with a table of word vectors.
        words: list of strings. The words of the table.
        tokenizer: a `BertEmbedTokenizer`.

    Returns:
        A dict: `words`, `width`, how they are fused, and `coverage`, the share
        of the vocabulary's whole words (special tokens left out) that have a
        vector.
    """
    known = set(words)
    whole = [
        piece
        for piece in tokenizer.get_vocabulary()
        if not piece.startswith(CONTINUES) and piece not in tokenizer.special_tokens
    ]
    found = sum(piece in known or piece.lower() in known for piece in whole)
    return {
        "words": len(words),
        "width": backbone.static_dim,
        "coverage": round(found / len(whole), 4) if whole else 0.0,
        "input_fusion": backbone.input_fusion,
        "output_fusion": backbone.output_fusion,
    }


def check_metrics(metrics):
    """Raise where metrics are no dict that JSON can hold, nor `None`."""
    try:
        written = json.dumps(metrics, allow_nan=False)
    except (TypeError, ValueError):
        written = None
    if written is None or not (metrics is None or isinstance(metrics, dict)):
        raise BertEmbedError(
            f"`metrics` must be a dict that JSON can hold, or None. Received: {metrics!r:.200}."
        )


def _sizes(folder):
    """Bytes of the graph (with the vocabulary and the words), of the weights, and together."""
    graph = (folder / "saved_model.pb").stat().st_size
    variables = sum(path.stat().st_size for path in (folder / "variables").iterdir())
    return {"graph": graph, "variables": variables, "total": graph + variables}


def describe(folder, task, meta_graph, metrics, stored, warmup):
    """Say what an export is.

    Args:
        folder: `pathlib.Path`. The folder of the SavedModel.
        task: the task that is served.
        meta_graph: TensorFlow's `MetaGraphDef`, as saved.
        metrics: dict. What the task reached; `None` where nobody said.
        stored: dict. As `in_precision` gives it.
        warmup: dict. As `write_warmup` gives it; `None` for none.

    Returns:
        A dict that JSON can hold.
    """
    preprocessor = task.preprocessor
    tokenizer = getattr(preprocessor, "tokenizer", None)
    backbone = getattr(task, "backbone", None)
    words = getattr(preprocessor, "static_words", None)
    ours = isinstance(tokenizer, BertEmbedTokenizer)
    labels = getattr(task, "labels", None)
    return {
        "format": FORMAT,
        "task": type(task).__name__,
        "exported_at": exported_at(),
        "versions": versions(),
        "minimum_tensorflow_serving": MINIMUM_SERVER,
        "labels": list(map(str, labels)) if isinstance(labels, (list, tuple)) else None,
        "sequence_length": getattr(preprocessor, "sequence_length", None),
        "vocabulary": vocabulary_facts(tokenizer) if ours else None,
        "word_vectors": word_vector_facts(backbone, words, tokenizer) if ours and words else None,
        **stored,
        "bytes": _sizes(folder),
        "metrics": metrics,
        "signatures": signature_facts(meta_graph),
        "warmup": warmup,
    }


def write_metadata(folder, facts):
    """Write the metadata of an export.

    Args:
        folder: `pathlib.Path`. The folder of the SavedModel.
        facts: dict. As `describe` gives it.
    """
    path = folder / METADATA
    path.parent.mkdir(exist_ok=True)
    written = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(f"{written}\n", encoding="utf-8")


def read_metadata(path):
    """Read what an exported model tells of itself.

    Args:
        path: string or `pathlib.Path`. The folder of one version, for example
            `saved_models/bbc/1`.

    Returns:
        A dict: `task` (its class), `exported_at`, `versions` of packages,
        `minimum_tensorflow_serving`, `labels`, `sequence_length`, `vocabulary`
        (`pieces`, `sha256`, ...), `word_vectors` (`words`, `width`,
        `coverage`, ...), `precision`, `rounding` (how far answers are from
        those of float32), `bytes`, `metrics`, `signatures` (with `method`, `inputs` and
        `outputs`) and `warmup` (`records`, `batch_sizes`, `lengths`); `None`
        for what the model does not have.

    Raises:
        MissingFileError: where there is nothing at `path`, or no metadata.
        FileFormatError: where `path` is no SavedModel, or its metadata are
            damaged or of a later format.

    Example:

    ```python
    from tf_bertembed import export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(8, 1, 2, 8, 16, max_sequence_length=16)
    task = tasks.TextClassifier(backbone, ["no", "yes"], text.Preprocessor(tokenizer, 16))
    path = export.export_saved_model(task, "saved_models/films", examples=["good film"])
    metadata = export.read_metadata(path)
    assert metadata["task"] == "TextClassifier" and metadata["labels"] == ["no", "yes"]
    assert metadata["signatures"]["embed"]["outputs"]["embedding"]["shape"] == [None, 8]
    ```

    References:
        - SOURCE_DATE_EPOCH: https://reproducible-builds.org/specs/source-date-epoch/
    """
    path = require_saved_model(path) / METADATA
    facts = read_json(
        path,
        "It tells what the model is. Export the model again with `tf-bertembed export` or "
        "`export.export_saved_model`.",
    )
    if facts.get("format") != FORMAT:
        raise FileFormatError(
            path, f"Metadata of format {FORMAT} were expected. Received: {facts.get('format')!r}."
        )
    return facts
